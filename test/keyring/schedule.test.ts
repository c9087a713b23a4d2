import t from 'tap'
import { keyId } from '../../lib/keyring/key-id'
import { Keyring } from '../../lib/keyring/keyring'
import { schedule, stateAt, type KeyDates } from '../../lib/keyring/schedule'
import { keyNumber } from '../helpers/keyrings'

/** Days in the place of milliseconds: the function does not care. */
function key (id: string, activatesAtMs: number, more: Partial<KeyDates> = {}): KeyDates {
  return { id, createdAtMs: activatesAtMs - 1, activatesAtMs, expiresAtMs: null, revokedAtMs: null, ...more }
}

function statesAt (keys: KeyDates[], day: number): Record<string, string> {
  return Object.fromEntries(schedule(keys).map(scheduled => [scheduled.key.id, stateAt(scheduled, day)]))
}

const A = key('a', 10, { expiresAtMs: 110 })
const B = key('b', 20, { expiresAtMs: 120 })
const C = key('c', 30)

t.test('a key is pending, active, retired and expired, each from its time on', async t => {
  for (const [day, states] of Object.entries({
    19: { a: 'active', b: 'pending', c: 'pending' },
    20: { a: 'retired', b: 'active', c: 'pending' },
    29: { a: 'retired', b: 'active', c: 'pending' },
    30: { a: 'retired', b: 'retired', c: 'active' },
    109: { a: 'retired', b: 'retired', c: 'active' },
    110: { a: 'expired', b: 'retired', c: 'active' },
    120: { a: 'expired', b: 'expired', c: 'active' },
    99999: { a: 'expired', b: 'expired', c: 'active' }
  })) t.strictSame(statesAt([A, B, C], Number(day)), states, `day ${day}`)
})

t.test('a key opens sessions and verifies signed cookies until its expiry, to the millisecond', async t => {
  const [retired, active] = [{ ...keyNumber(1, 10), expiresAtMs: 110 }, keyNumber(2, 20)]
  const id = keyId(retired.material)
  const keyring = new Keyring(schedule([retired, active]).map(({ key, ...term }) => ({ material: key.material, term })))
  const keys = keyring.tokenKeys('cookie', 'session')
  t.ok(keys.find(id, 109))
  t.equal(keyring.signingSecrets(109).length, 2)
  t.notOk(keys.find(id, 110))
  t.equal(keyring.signingSecrets(110).length, 1)
})

t.test('the order of the keys in the file does not matter', async t => {
  for (const keys of [[A, B, C], [C, B, A], [B, C, A]]) t.strictSame(statesAt(keys, 25), { a: 'retired', b: 'active', c: 'pending' })
})

t.test('at any time exactly one key is active, with any keys revoked', async t => {
  const wrong: string[] = []
  for (let mask = 0; mask < 7; mask++) {
    const keys = [A, B, C].map((each, index) => mask & 1 << index ? { ...each, revokedAtMs: 15 } : each)
    for (let day = 0; day < 200; day++) {
      const active = Object.values(statesAt(keys, day)).filter(state => state === 'active')
      if (active.length !== 1) wrong.push(`${active.length} with mask ${mask} on day ${day}`)
    }
  }
  t.strictSame(wrong, [])
})

t.test('the oldest key is active before its time, for clocks that are behind', async t => {
  t.strictSame(statesAt([A, B], 0), { a: 'active', b: 'pending' })
})

t.test('a revoked key is revoked at once and forever, also by a clock that is behind', async t => {
  const revoked = { ...B, revokedAtMs: 25 }
  for (const day of [0, 24, 25, 500]) t.match(statesAt([A, revoked, C], day), { b: 'revoked' })
  t.match(statesAt([A, revoked, C], 29), { a: 'active' }, 'the key before it seals until the next activates')
})

t.test('a key that expires too early is active while no newer key is', async t => {
  t.strictSame(statesAt([key('a', 10, { expiresAtMs: 15 }), B], 19), { a: 'active', b: 'pending' })
  t.strictSame(statesAt([key('a', 10, { expiresAtMs: 15 }), B], 20), { a: 'expired', b: 'active' })
})

t.test('a retired key without an expiry opens forever', async t => {
  t.match(statesAt([key('a', 10), B], 1e9), { a: 'retired' })
})

t.test('of keys with one activation time the last created is the newest, then the id decides', async t => {
  const [x, y] = [key('x', 10, { createdAtMs: 1 }), key('y', 10, { createdAtMs: 2 })]
  t.strictSame(statesAt([y, x], 10), { x: 'retired', y: 'active' })
  t.strictSame(statesAt([key('n', 10), key('m', 10)], 10), { m: 'retired', n: 'active' })
  t.strictSame(statesAt([key('m', 10), key('n', 10)], 10), { m: 'retired', n: 'active' })
})
