import t from 'tap'
import { keyOfId } from '../../lib/revocation/keys'
import { CLOCK_SKEW_MS } from '../../lib/time'
import { ADA, AWAY, bearer, ID, LIFE_MS, START_MS, World } from './world'

const KEPT_MS = LIFE_MS + CLOCK_SKEW_MS
const OTHER = 'e'.repeat(32)

t.test('the end of an id lies ahead of all clocks, and is kept for as long as any session lives on any of them', async t => {
  const world = new World()
  const here = world.process()
  await here.endSession(ID)
  t.strictSame(world.raised, [{ key: keyOfId(ID), cutOffMs: START_MS + CLOCK_SKEW_MS, keepForMs: KEPT_MS }])
  const ahead = bearer({ createdAtMs: START_MS + 30_000 })
  t.equal(here.standing(ahead), 'over')
  t.equal(await world.process().check(ahead), 'over', 'in another process, too')
})

t.test('the end of a subject lies before now, and is kept as long', async t => {
  const world = new World()
  await world.process().endSubject(ADA)
  t.strictSame(world.raised, [{ key: ADA, cutOffMs: START_MS - 1, keepForMs: KEPT_MS }])
  const there = world.process()
  t.equal(await there.check(bearer({ createdAtMs: START_MS })), 'good')
  t.equal(await there.check(bearer({ id: OTHER, createdAtMs: START_MS - 1 })), 'over')
})

t.test('a later end of a subject that another process made is learnt where this one makes its own', async t => {
  const world = new World()
  const here = world.process()
  await world.raise(ADA, START_MS + 30_000, KEPT_MS)
  await here.endSubject(ADA)
  t.equal(here.standing(bearer({ createdAtMs: START_MS + 30_000 })), 'over')
  t.equal(here.standing(bearer({ createdAtMs: START_MS + 30_001 })), 'good')
})

t.test('whoever ends the others goes on after the cut-off, and is replaced', async t => {
  const world = new World()
  const here = world.process()
  t.equal(await here.endOthers(bearer(), ADA), START_MS + 1)
  t.strictSame(world.raised, [
    { key: keyOfId(ID), cutOffMs: START_MS + CLOCK_SKEW_MS + 1, keepForMs: KEPT_MS },
    { key: ADA, cutOffMs: START_MS, keepForMs: KEPT_MS }
  ])
  t.equal(here.standing(bearer()), 'replaced')
  t.equal(await world.process().check(bearer()), 'replaced')
  t.equal(await world.process().check(bearer({ id: OTHER })), 'over')
})

t.test('a session from ahead that ends the others goes on after itself', async t => {
  const world = new World()
  const createdAtMs = START_MS + 30_000
  t.equal(await world.process().endOthers(bearer({ createdAtMs }), ADA), createdAtMs + 1)
  t.match(world.raised[1], { key: ADA, cutOffMs: createdAtMs })
})

t.test('a session that no cookie holds yet ends the others, and no id', async t => {
  const world = new World()
  t.equal(await world.process().endOthers(null, ADA), START_MS + 1)
  t.strictSame(world.raised, [{ key: ADA, cutOffMs: START_MS, keepForMs: KEPT_MS }])
  t.equal(await world.process().endOthers(null, ADA), START_MS + 1, 'nor does it matter what was ended before')
})

t.test('a session that was ended elsewhere ends nobody', async t => {
  for (const end of ['id', 'subject'] as const) {
    const world = new World()
    const [here, there] = [world.process(), world.process()]
    await (end === 'id' ? there.endSession(ID) : there.endSubject(ADA))
    world.raised.length = 0
    t.equal(await here.endOthers(bearer({ checkedAtMs: START_MS }), ADA), null, end)
    t.strictSame(world.raised, [], end)
  }
})

t.test('a session whose id is ended elsewhere just then ends nobody', async t => {
  const world = new World()
  const [here, there] = [world.process(), world.process()]
  world.justBefore = async () => { await there.endSession(ID) }
  t.equal(await here.endOthers(bearer(), ADA), null)
  t.strictSame(world.raised.map(({ key }) => key), [keyOfId(ID), keyOfId(ID)])
})

t.test('a session whose subject is ended elsewhere just then does not go on', async t => {
  const world = new World()
  const [here, there] = [world.process(), world.process()]
  world.justBefore = async () => {
    world.justBefore = async () => { await there.endSubject(ADA) }
  }
  t.equal(await here.endOthers(bearer(), ADA), null)
})

t.test('what is ended for another is told from what was over before', async t => {
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

t.test('what is known to be over by its subject was over before', async t => {
  const world = new World()
  const here = world.process()
  await here.endSubject(ADA)
  t.equal(await here.endReplaced(bearer(), 'replaced'), false)
})

t.test('where the store is away, only an app that said so goes on', async t => {
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
    await t.rejects(trusting.endOthers(null, ADA), AWAY)
  }
})

t.test('the cut-off of whoever logs in is asked for, and is 0 where nobody can tell', async t => {
  const world = new World()
  const here = world.process()
  t.equal(await here.cutOffOf(ADA), 0)
  await world.process().endSubject(ADA)
  t.equal(await here.cutOffOf(ADA), START_MS - 1)
  t.equal(here.issue(START_MS - 10, START_MS - 1), START_MS)
  world.isAway = true
  t.equal(await here.cutOffOf(ADA), 0)
})
