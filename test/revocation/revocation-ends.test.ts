import t from 'tap'
import { keyOfId } from '../../lib/revocation/keys'
import { CLOCK_SKEW_MS } from '../../lib/time'
import { ADA, AWAY, bearer, ID, LIFE_MS, START_MS, World } from './world'

const KEPT_MS = LIFE_MS + CLOCK_SKEW_MS
const OTHER = 'e'.repeat(32)
const THIRD = 'd'.repeat(32)

t.test('the cut-off of an id is ahead of all clocks, and is kept as long as any session can live', async t => {
  const world = new World()
  const here = world.process()
  await here.endSession(ID)
  t.strictSame(world.raised, [{ key: keyOfId(ID), cutOffMs: START_MS + CLOCK_SKEW_MS, keepForMs: KEPT_MS }])
  const ahead = bearer({ createdAtMs: START_MS + 30_000 })
  t.equal(here.standing(ahead), 'over')
  t.equal(await world.process().check(ahead), 'over', 'in another process, too')
})

t.test('the cut-off of an id is kept until its session expires on all clocks, if that time is known', async t => {
  const world = new World()
  const here = world.process()
  const endsAtMs = START_MS + 1000
  await here.endSession(ID, endsAtMs)
  await here.endReplaced(bearer({ id: OTHER }), 'over', endsAtMs)
  await here.endIfGood(bearer({ id: THIRD }), endsAtMs)
  t.strictSame(world.raised.map(({ keepForMs }) => keepForMs), [1000 + CLOCK_SKEW_MS, 1000 + CLOCK_SKEW_MS, 1000 + CLOCK_SKEW_MS])
  world.nowMs = endsAtMs + 5000
  await here.endSession(ID, endsAtMs)
  t.match(world.raised.at(-1), { keepForMs: CLOCK_SKEW_MS }, 'never for less')
})

t.test('a copy with a longer life extends the life of the cut-off of its id, and ends nothing', async t => {
  const world = new World()
  const here = world.process()
  await here.keepUntil(ID, START_MS + 1000)
  t.strictSame(world.raised, [{ key: keyOfId(ID), cutOffMs: 0, keepForMs: 1000 + CLOCK_SKEW_MS }])
  t.equal(await here.check(bearer()), 'good')
  world.isAway = true
  await t.rejects(here.keepUntil(ID, START_MS + 1000), AWAY)
  await t.resolves(world.process({ trustsWhenAway: true }).keepUntil(ID, START_MS + 1000))
})

t.test('the cut-off of a subject is before now, and is kept for as long', async t => {
  const world = new World()
  await world.process().endSubject(ADA)
  t.strictSame(world.raised, [{ key: ADA, cutOffMs: START_MS - 1, keepForMs: KEPT_MS }])
  const there = world.process()
  t.equal(await there.check(bearer({ createdAtMs: START_MS })), 'good')
  t.equal(await there.check(bearer({ id: OTHER, createdAtMs: START_MS - 1 })), 'over')
})

t.test('a later cut-off of a subject by another process is learned when this process makes one', async t => {
  const world = new World()
  const here = world.process()
  await world.raise(ADA, START_MS + 30_000, KEPT_MS)
  await here.endSubject(ADA)
  t.equal(here.standing(bearer({ createdAtMs: START_MS + 30_000 })), 'over')
  t.equal(here.standing(bearer({ createdAtMs: START_MS + 30_001 })), 'good')
})

t.test('a session that ends all others is replaced by one that is created after the cut-off', async t => {
  const world = new World()
  const here = world.process()
  t.equal(await here.endIfGood(bearer(), Infinity), true)
  t.strictSame(await here.endOthers(ADA, START_MS - 1), { cutOffMs: START_MS, before: 0 })
  t.strictSame(world.raised, [
    { key: keyOfId(ID), cutOffMs: START_MS + CLOCK_SKEW_MS + 1, keepForMs: KEPT_MS },
    { key: ADA, cutOffMs: START_MS, keepForMs: KEPT_MS }
  ])
  t.equal(here.standing(bearer()), 'replaced')
  t.equal(await world.process().check(bearer()), 'replaced')
  t.equal(await world.process().check(bearer({ id: OTHER })), 'over')
})

t.test('the cut-off for the other sessions of one that was created ahead of the clock is its own time', async t => {
  const world = new World()
  const createdAtMs = START_MS + 30_000
  t.match(await world.process().endOthers(ADA, createdAtMs), { cutOffMs: createdAtMs })
  t.match(world.raised, [{ key: ADA, cutOffMs: createdAtMs }])
})

t.test('the previous cut-off is returned, because another process may have made it', async t => {
  const world = new World()
  const [here, there] = [world.process(), world.process()]
  await there.endSubject(ADA)
  t.match(await here.endOthers(ADA, 0), { before: START_MS - 1 })
})

t.test('a session that another process has ended is not ended again', async t => {
  for (const end of ['id', 'subject'] as const) {
    const world = new World()
    const [here, there] = [world.process(), world.process()]
    await (end === 'id' ? there.endSession(ID) : there.endSubject(ADA))
    world.raised.length = 0
    t.equal(await here.endIfGood(bearer({ checkedAtMs: START_MS }), Infinity), false, end)
    t.strictSame(world.raised, [], end)
  }
})

t.test('a session whose id another process ends at the same time counts as ended before', async t => {
  const world = new World()
  const [here, there] = [world.process(), world.process()]
  world.justBefore = async () => { await there.endSession(ID) }
  t.equal(await here.endIfGood(bearer(), Infinity), false)
  t.strictSame(world.raised.map(({ key }) => key), [keyOfId(ID), keyOfId(ID)])
})

t.test('a cut-off of another subject is distinguished from an earlier end of the session', async t => {
  const world = new World()
  const [here, there] = [world.process(), world.process()]
  t.equal(await here.endReplaced(bearer(), 'replaced'), true)
  t.equal(here.standing(bearer()), 'replaced')
  t.strictSame(world.raised, [{ key: keyOfId(ID), cutOffMs: START_MS + CLOCK_SKEW_MS + 1, keepForMs: KEPT_MS }])
  t.equal(await here.endReplaced(bearer(), 'replaced'), false, 'known here')
  t.equal(world.raised.length, 1, 'and nobody was asked')
  t.equal(await there.endReplaced(bearer(), 'over'), false, 'by what stood before')
  t.equal(await there.endReplaced(bearer({ id: OTHER }), 'over'), true)
  t.equal(there.standing(bearer({ id: OTHER })), 'over')
})

t.test('a session that is known to be ended by its subject counts as ended before', async t => {
  const world = new World()
  const here = world.process()
  await here.endSubject(ADA)
  t.equal(await here.endReplaced(bearer(), 'replaced'), false)
})

t.test('while the store is unavailable, an end is accepted only if `onError` is allow', async t => {
  const world = new World()
  world.isAway = true
  const refusing = world.process()
  await t.rejects(refusing.endReplaced(bearer(), 'replaced'), AWAY)
  t.equal(refusing.standing(bearer({ checkedAtMs: START_MS })), 'good', 'and it is not over')
  for (const end of ['over', 'replaced'] as const) {
    const trusting = world.process({ trustsWhenAway: true })
    t.equal(await trusting.endReplaced(bearer(), end), true)
    t.equal(trusting.standing(bearer()), end)
    t.equal(await trusting.endReplaced(bearer(), end), false)
    await t.rejects(trusting.endSession(OTHER), AWAY)
    await t.rejects(trusting.endSubject(ADA), AWAY)
    await t.rejects(trusting.endIfGood(bearer({ id: OTHER }), Infinity), AWAY)
    await t.rejects(trusting.endOthers(ADA, 0), AWAY)
  }
})

t.test('a login asks for the cut-off of its subject, and uses 0 if the store is unavailable', async t => {
  const world = new World()
  const here = world.process()
  t.equal(await here.cutOffOf(ADA), 0)
  await world.process().endSubject(ADA)
  t.equal(await here.cutOffOf(ADA), START_MS - 1)
  t.equal(here.issue(START_MS - 10, START_MS - 1), START_MS)
  world.isAway = true
  t.equal(await here.cutOffOf(ADA), 0)
})
