import t from 'tap'
import { keyOfId } from '../../lib/revocation/keys'
import { CLOCK_SKEW_MS } from '../../lib/time'
import { ADA, AWAY, sessionRef, ID, LIFE_MS, START_MS, World } from './world'

const KEPT_MS = LIFE_MS + CLOCK_SKEW_MS
const OTHER = 'e'.repeat(32)
const THIRD = 'd'.repeat(32)

t.test('the cut-off of an id is ahead of all clocks, and is kept as long as any session can live', async t => {
  const world = new World()
  const here = world.process()
  await here.revokeId(ID)
  t.strictSame(world.raised, [{ key: keyOfId(ID), cutOffMs: START_MS + CLOCK_SKEW_MS, keepForMs: KEPT_MS }])
  const ahead = sessionRef({ createdAtMs: START_MS + 30_000 })
  t.equal(here.status(ahead), 'revoked')
  t.equal(await world.process().check(ahead), 'revoked', 'in another process, too')
})

t.test('the cut-off of an id is kept until its session expires on all clocks, if that time is known', async t => {
  const world = new World()
  const here = world.process()
  const endsAtMs = START_MS + 1000
  await here.revokeId(ID, endsAtMs)
  await here.revokeReplaced(sessionRef({ id: OTHER }), 'revoked', endsAtMs)
  await here.revokeReissued(sessionRef({ id: THIRD }), endsAtMs)
  t.strictSame(world.raised.map(({ keepForMs }) => keepForMs), [1000 + CLOCK_SKEW_MS, 1000 + CLOCK_SKEW_MS, 1000 + CLOCK_SKEW_MS])
  world.nowMs = endsAtMs + 5000
  await here.revokeId(ID, endsAtMs)
  t.match(world.raised.at(-1), { keepForMs: CLOCK_SKEW_MS }, 'never for less')
})

t.test('a copy with a longer life extends the life of the cut-off of its id, and revokes nothing', async t => {
  const world = new World()
  const here = world.process()
  await here.keepUntil(ID, START_MS + 1000)
  t.strictSame(world.raised, [{ key: keyOfId(ID), cutOffMs: 0, keepForMs: 1000 + CLOCK_SKEW_MS }])
  t.equal(await here.check(sessionRef()), 'active')
  world.isAway = true
  await t.rejects(here.keepUntil(ID, START_MS + 1000), AWAY)
  await t.resolves(world.process({ trustsWhenUnavailable: true }).keepUntil(ID, START_MS + 1000))
})

t.test('the cut-off of a subject is before now, and is kept for as long', async t => {
  const world = new World()
  await world.process().revokeSubject(ADA)
  t.strictSame(world.raised, [{ key: ADA, cutOffMs: START_MS - 1, keepForMs: KEPT_MS }])
  const there = world.process()
  t.equal(await there.check(sessionRef({ createdAtMs: START_MS })), 'active')
  t.equal(await there.check(sessionRef({ id: OTHER, createdAtMs: START_MS - 1 })), 'revoked')
})

t.test('a later cut-off of a subject by another process is learned when this process makes one', async t => {
  const world = new World()
  const here = world.process()
  await world.raise(ADA, START_MS + 30_000, KEPT_MS)
  await here.revokeSubject(ADA)
  t.equal(here.status(sessionRef({ createdAtMs: START_MS + 30_000 })), 'revoked')
  t.equal(here.status(sessionRef({ createdAtMs: START_MS + 30_001 })), 'active')
})

t.test('a session that revokes all others is replaced by one that is created after the cut-off', async t => {
  const world = new World()
  const here = world.process()
  t.equal(await here.revokeReissued(sessionRef(), Infinity), true)
  t.strictSame(await here.revokeOthers(ADA, START_MS - 1), { upToMs: START_MS, before: 0 })
  t.strictSame(world.raised, [
    { key: keyOfId(ID), cutOffMs: START_MS + CLOCK_SKEW_MS + 1, keepForMs: KEPT_MS },
    { key: ADA, cutOffMs: START_MS, keepForMs: KEPT_MS }
  ])
  t.equal(here.status(sessionRef()), 'replaced')
  t.equal(await world.process().check(sessionRef()), 'replaced')
  t.equal(await world.process().check(sessionRef({ id: OTHER })), 'revoked')
})

t.test('the cut-off for the other sessions of one that was created ahead of the clock is its own time', async t => {
  const world = new World()
  const createdAtMs = START_MS + 30_000
  t.match(await world.process().revokeOthers(ADA, createdAtMs), { upToMs: createdAtMs })
  t.match(world.raised, [{ key: ADA, cutOffMs: createdAtMs }])
})

t.test('the previous cut-off is returned, because another process may have made it', async t => {
  const world = new World()
  const [here, there] = [world.process(), world.process()]
  await there.revokeSubject(ADA)
  t.match(await here.revokeOthers(ADA, 0), { before: START_MS - 1 })
})

t.test('a session that another process has revoked is not revoked again', async t => {
  for (const end of ['id', 'subject'] as const) {
    const world = new World()
    const [here, there] = [world.process(), world.process()]
    await (end === 'id' ? there.revokeId(ID) : there.revokeSubject(ADA))
    world.raised.length = 0
    t.equal(await here.revokeReissued(sessionRef({ checkedAtMs: START_MS }), Infinity), false, end)
    t.strictSame(world.raised, [], end)
  }
})

t.test('a session whose id another process revokes at the same time counts as revoked before', async t => {
  const world = new World()
  const [here, there] = [world.process(), world.process()]
  world.justBefore = async () => { await there.revokeId(ID) }
  t.equal(await here.revokeReissued(sessionRef(), Infinity), false)
  t.strictSame(world.raised.map(({ key }) => key), [keyOfId(ID), keyOfId(ID)])
})

t.test('a cut-off of another subject is distinguished from an earlier end of the session', async t => {
  const world = new World()
  const [here, there] = [world.process(), world.process()]
  t.equal(await here.revokeReplaced(sessionRef(), 'replaced'), true)
  t.equal(here.status(sessionRef()), 'replaced')
  t.strictSame(world.raised, [{ key: keyOfId(ID), cutOffMs: START_MS + CLOCK_SKEW_MS + 1, keepForMs: KEPT_MS }])
  t.equal(await here.revokeReplaced(sessionRef(), 'replaced'), false, 'known here')
  t.equal(world.raised.length, 1, 'and nobody was asked')
  t.equal(await there.revokeReplaced(sessionRef(), 'revoked'), false, 'by what stood before')
  t.equal(await there.revokeReplaced(sessionRef({ id: OTHER }), 'revoked'), true)
  t.equal(there.status(sessionRef({ id: OTHER })), 'revoked')
})

t.test('a session that is known to be revoked by its subject counts as revoked before', async t => {
  const world = new World()
  const here = world.process()
  await here.revokeSubject(ADA)
  t.equal(await here.revokeReplaced(sessionRef(), 'replaced'), false)
})

t.test('while the store is unavailable, an end is accepted only if `onError` is allow', async t => {
  const world = new World()
  world.isAway = true
  const refusing = world.process()
  await t.rejects(refusing.revokeReplaced(sessionRef(), 'replaced'), AWAY)
  t.equal(refusing.status(sessionRef({ checkedAtMs: START_MS })), 'active', 'and it is not over')
  for (const end of ['revoked', 'replaced'] as const) {
    const trusting = world.process({ trustsWhenUnavailable: true })
    t.equal(await trusting.revokeReplaced(sessionRef(), end), true)
    t.equal(trusting.status(sessionRef()), end)
    t.equal(await trusting.revokeReplaced(sessionRef(), end), false)
    await t.rejects(trusting.revokeId(OTHER), AWAY)
    await t.rejects(trusting.revokeSubject(ADA), AWAY)
    await t.rejects(trusting.revokeReissued(sessionRef({ id: OTHER }), Infinity), AWAY)
    await t.rejects(trusting.revokeOthers(ADA, 0), AWAY)
  }
})

t.test('a login asks for the cut-off of its subject, and uses 0 if the store is unavailable', async t => {
  const world = new World()
  const here = world.process()
  t.equal(await here.revokedBeforeOf(ADA), 0)
  await world.process().revokeSubject(ADA)
  t.equal(await here.revokedBeforeOf(ADA), START_MS - 1)
  t.equal(here.createdAt(START_MS - 10, START_MS - 1), START_MS)
  world.isAway = true
  t.equal(await here.revokedBeforeOf(ADA), 0)
})
