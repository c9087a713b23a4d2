import t from 'tap'
import { keyThatSeals, pruned, revoked, rotated, rotatedBySchedule, rotationDueAtMs } from '../../lib/keyring/lifecycle'
import type { KeyRecord } from '../../lib/keyring/document'
import { schedule, stateAt } from '../../lib/keyring/schedule'
import { DAY_MS } from '../../lib/time'
import { keyNumber } from '../helpers/keyrings'

const HOUR_MS = DAY_MS / 24
const START = Date.UTC(2026, 0, 1)
const KEEP = { activateInMs: HOUR_MS, keepForMs: 90 * DAY_MS }
const FIRST = keyNumber(1, START)

function states (keys: readonly KeyRecord[], nowMs: number): string[] {
  return schedule(keys).map(scheduled => stateAt(scheduled, nowMs))
}

t.test('a rotation adds a key that seals later, and sets when the previous key expires', async t => {
  const now = START + 30 * DAY_MS
  const keys = rotated([FIRST], now, KEEP)
  t.strictSame(states(keys, now), ['active', 'pending'])
  t.strictSame(states(keys, now + HOUR_MS), ['retired', 'active'])
  t.strictSame(states(keys, now + HOUR_MS + 90 * DAY_MS - 1), ['retired', 'active'])
  t.strictSame(states(keys, now + HOUR_MS + 90 * DAY_MS), ['expired', 'active'])
  t.match(keys[1], { createdAtMs: now, activatesAtMs: now + HOUR_MS, expiresAtMs: null, revokedAtMs: null })
})

t.test('a rotation without a delay seals at once', async t => {
  const keys = rotated([FIRST], START + 1, { ...KEEP, activateInMs: 0 })
  t.strictSame(states(keys, START + 1), ['retired', 'active'])
  t.match(keys[0], { expiresAtMs: START + 1 + KEEP.keepForMs })
})

t.test('two rotations in one millisecond make two keys, and the second is the newer', async t => {
  const once = rotated([FIRST], START, { ...KEEP, activateInMs: 0 })
  const twice = rotated(once, START, { ...KEEP, activateInMs: 0 })
  const newest = twice.find(({ id }) => !once.some(key => key.id === id)) as KeyRecord
  t.equal(keyThatSeals(twice, START + 5), newest)
})

t.test('a rotation succeeds a key that is dated in the future by a clock that is ahead', async t => {
  const ahead = keyNumber(1, START + HOUR_MS)
  const keys = rotated([ahead], START, { ...KEEP, activateInMs: 0 })
  t.equal(keyThatSeals(keys, START), keys[0])
  t.notSame(keyThatSeals(keys, START + HOUR_MS + 1).id, ahead.id)
})

t.test('a rotation never makes the expiry of a key earlier', async t => {
  const long = rotated([FIRST], START, { ...KEEP, keepForMs: 200 * DAY_MS })
  const again = rotated(long, START + 1, { ...KEEP, keepForMs: DAY_MS })
  t.equal(again[0]?.expiresAtMs, long[0]?.expiresAtMs)
  t.equal(again[1]?.expiresAtMs, START + 1 + HOUR_MS + DAY_MS)
})

t.test('a retired key keeps its expiry through all later rotations', async t => {
  const once = rotated([FIRST], START, KEEP)
  const later = rotated(once, START + 100 * DAY_MS, KEEP)
  t.equal(later[0]?.expiresAtMs, once[0]?.expiresAtMs)
  t.strictSame(states(later, START + 100 * DAY_MS), ['expired', 'active', 'pending'])
})

t.test('after a pending key was revoked, the active key stays, also after the next rotation', async t => {
  const once = rotated([FIRST], START, KEEP)
  const without = revoked(once, once[1]?.id as string, START + 1, KEEP.keepForMs) as KeyRecord[]
  const yearLater = START + 365 * DAY_MS
  t.strictSame(states(without, yearLater), ['active', 'revoked'])
  const keys = rotated(without, yearLater, KEEP)
  t.strictSame(states(keys, yearLater + HOUR_MS), ['retired', 'revoked', 'active'])
  t.match(keys[0], { expiresAtMs: yearLater + HOUR_MS + KEEP.keepForMs })
})

t.test('revoking the only key makes a new key in the same step', async t => {
  const keys = revoked([FIRST], FIRST.id, START + 5, KEEP.keepForMs) as KeyRecord[]
  t.strictSame(states(keys, START + 5), ['revoked', 'active'])
  t.match(keys, [{ revokedAtMs: START + 5 }, { createdAtMs: START + 5, activatesAtMs: START + 1 }])
  t.strictSame(states(keys, START - DAY_MS), ['revoked', 'active'], 'also for clocks that are behind')
})

t.test('when the active key is revoked, the pending key becomes active and no other is made', async t => {
  const once = rotated([FIRST], START, KEEP)
  const keys = revoked(once, FIRST.id, START + 5, KEEP.keepForMs) as KeyRecord[]
  t.equal(keys.length, 2)
  t.strictSame(states(keys, START + 5), ['revoked', 'active'])
})

t.test('when the active key is revoked, a retired key does not seal and an expired key does not open', async t => {
  const third = rotated(rotated([FIRST], START, KEEP), START + 80 * DAY_MS, KEEP)
  const now = START + 100 * DAY_MS
  t.strictSame(states(third, now), ['expired', 'retired', 'active'])
  const keys = revoked(third, third[2]?.id as string, now, KEEP.keepForMs) as KeyRecord[]
  t.strictSame(states(keys, now), ['expired', 'retired', 'revoked', 'active'])
})

t.test('revoking a retired key changes no other key', async t => {
  const keys = rotated([FIRST], START, { ...KEEP, activateInMs: 0 })
  const after = revoked(keys, FIRST.id, START + 5, KEEP.keepForMs) as KeyRecord[]
  t.strictSame(states(after, START + 5), ['revoked', 'active'])
  t.strictSame(after[1], keys[1])
})

t.test('a revocation can be undone: the key opens its sessions again, until its expiry', async t => {
  const keys = revoked([FIRST], FIRST.id, START + 5, KEEP.keepForMs) as KeyRecord[]
  const back = keys.map(key => ({ ...key, revokedAtMs: null }))
  t.strictSame(states(back, START + 6), ['retired', 'active'])
  t.strictSame(states(back, START + 5 + KEEP.keepForMs), ['expired', 'active'])
})

t.test('a key that is revoked twice keeps its first revocation time', async t => {
  const once = revoked([FIRST], FIRST.id, START + 5, KEEP.keepForMs) as KeyRecord[]
  t.equal(revoked(once, FIRST.id, START + 9, KEEP.keepForMs), null)
})

t.test('revoking an unknown key changes nothing', async t => {
  t.equal(revoked([FIRST], '00000000', START, KEEP.keepForMs), null)
})

t.test('prune removes expired keys, and revoked keys only if asked', async t => {
  const keys = revoked(rotated(rotated([FIRST], START, KEEP), START + 80 * DAY_MS, KEEP), FIRST.id, START + 81 * DAY_MS, KEEP.keepForMs) as KeyRecord[]
  const now = START + 400 * DAY_MS
  t.strictSame(states(keys, now), ['revoked', 'expired', 'active'])
  t.strictSame(states(pruned(keys, now), now), ['revoked', 'active'])
  t.strictSame(states(pruned(keys, now, true), now), ['active'])
  t.strictSame(pruned(keys, START + 81 * DAY_MS), keys)
})

t.test('a rotation is due early enough for the next key to be active after the configured time', async t => {
  const plan = { everyMs: 30 * DAY_MS, ...KEEP }
  const due = START + 30 * DAY_MS - HOUR_MS
  t.equal(rotationDueAtMs([FIRST], plan, START), due)
  t.equal(rotationDueAtMs([FIRST], plan, due + DAY_MS), due)
  const keys = rotated([FIRST], due, plan)
  t.equal(rotationDueAtMs(keys, plan, due), START + 60 * DAY_MS - HOUR_MS)
  const [, last] = keys as [KeyRecord, KeyRecord]
  t.equal(rotationDueAtMs([FIRST, { ...last, revokedAtMs: START }], plan, due), due, 'a revoked key does not count')
})

t.test('a key dated by a clock far ahead neither stops the rotation nor repeats it', async t => {
  const plan = { everyMs: 30 * DAY_MS, ...KEEP }
  const ahead = rotatedBySchedule([FIRST], plan, START + 365 * DAY_MS)
  t.equal(rotationDueAtMs(ahead, plan, START + DAY_MS), START + 30 * DAY_MS - HOUR_MS)
  const next = rotatedBySchedule(ahead, plan, START + 30 * DAY_MS)
  t.strictSame(states(next, START + 31 * DAY_MS), ['retired', 'active', 'pending'])
  t.ok(rotationDueAtMs(next, plan, START + 30 * DAY_MS) > START + 50 * DAY_MS)
  const alone = [keyNumber(1, START + 365 * DAY_MS)]
  t.ok(rotationDueAtMs(alone, plan, START) > START + 365 * DAY_MS)
})

t.test('servers remove keys that expired before the newest key was made, not by their own clock alone', async t => {
  const plan = { everyMs: 30 * DAY_MS, ...KEEP }
  const keys = rotated([FIRST], START + 30 * DAY_MS, plan)
  const farAhead = START + 400 * DAY_MS
  t.strictSame(states(keys, farAhead), ['expired', 'active'])
  t.ok(rotatedBySchedule(keys, plan, farAhead).some(({ id }) => id === FIRST.id), 'one clock')
  const seen = rotatedBySchedule(keys, plan, farAhead)
  t.notOk(rotatedBySchedule(seen, plan, farAhead + DAY_MS).some(({ id }) => id === FIRST.id), 'two')
})

t.test('after a revocation, a clock that is minutes behind does not select an older key for sealing', async t => {
  const now = START + 200 * DAY_MS
  const rings = {
    'with an expired key before it': rotated([FIRST], START, { ...KEEP, activateInMs: 0 }),
    'with a pending key behind it': rotated(rotated([FIRST], START, { ...KEEP, activateInMs: 0 }), now - HOUR_MS / 2, KEEP)
  }
  for (const [name, ring] of Object.entries(rings)) {
    const sealing = keyThatSeals(ring, now)
    const after = revoked(ring, sealing.id, now, KEEP.keepForMs) as KeyRecord[]
    const next = keyThatSeals(after, now).id
    for (const behindMs of [0, 1000, 30_000, 9 * 60_000]) t.equal(keyThatSeals(after, now - behindMs).id, next, `${name}, ${behindMs} ms behind`)
    t.match(after.find(({ id }) => id === FIRST.id), { expiresAtMs: ring[0]?.expiresAtMs as number }, 'which stays as it was')
  }
})

t.test('a new key after the revocation of a just activated key is active at once', async t => {
  const ring = rotated([FIRST], START + 1000, { ...KEEP, activateInMs: 0 })
  const sealing = keyThatSeals(ring, START + 2000)
  const after = revoked(ring, sealing.id, START + 2000, KEEP.keepForMs) as KeyRecord[]
  t.equal(keyThatSeals(after, START + 2000).activatesAtMs, sealing.activatesAtMs + 1)
  t.strictSame(states(after, START + 2000), ['retired', 'revoked', 'active'])
})
