import t from 'tap'
import { keyOfId } from '../../lib/revocation/keys'
import { turns } from '../helpers/clock'
import { ADA, AWAY, sessionRef, ID, MINUTE_MS, START_MS, World } from './world'

t.test('a session is trusted in the window after its beginning or its check, and not at the window\'s end', async t => {
  for (const since of [{ createdAtMs: START_MS }, { checkedAtMs: START_MS }]) {
    const world = new World()
    const process = world.process()
    t.equal(process.status(sessionRef()), 'unknown')
    t.equal(process.status(sessionRef(since)), 'active')
    world.nowMs += MINUTE_MS - 1
    t.equal(process.status(sessionRef(since)), 'active')
    world.nowMs++
    t.equal(process.status(sessionRef(since)), 'unknown')
  }
})

t.test('with a window of 0, a clock that is ahead does not make a session trusted', async t => {
  const process = new World().process({ recheckMs: 0 })
  for (const aheadMs of [0, 1, 30_000]) {
    t.equal(process.status(sessionRef({ checkedAtMs: START_MS + aheadMs })), 'unknown')
    t.equal(process.status(sessionRef({ createdAtMs: START_MS + aheadMs })), 'unknown')
  }
})

t.test('a result from before a dropped cut-off is not trusted, and a later result is', async t => {
  const world = new World()
  const process = world.process()
  const [before, atOnce, after] = [sessionRef({ id: 'b'.repeat(32) }), sessionRef({ id: 'c'.repeat(32) }), sessionRef({ id: 'd'.repeat(32) })]
  await process.check(before)
  world.nowMs += 1000
  await process.revokeId(ID)
  await process.check(atOnce)
  world.nowMs++
  await process.check(after)
  world.nowMs += 1000
  for (let other = 1; other < 20_000; other++) await process.revokeId(`other ${other}`)
  t.strictSame([before, atOnce, after].map(session => process.status(session)), ['active', 'active', 'active'])
  t.equal(process.status(sessionRef()), 'revoked')
  await process.revokeId('one too many')
  t.strictSame([before, atOnce, after].map(session => process.status(session)), ['unknown', 'unknown', 'active'])
  t.equal(process.status(sessionRef()), 'unknown', 'the store is asked again')
  const ahead = sessionRef({ id: 'e'.repeat(32), checkedAtMs: world.nowMs + 30_000 })
  t.equal(process.status(ahead), 'active')
  await process.revokeId('another one')
  t.equal(process.status(ahead), 'unknown', 'what is forgotten now was not heard before a stamp that is ahead')
  t.equal(await process.check(sessionRef()), 'revoked')
})

t.test('a session that this process revokes during a lookup is revoked, for every result of the lookup', async t => {
  for (const trustsWhenUnavailable of [true, false]) {
    for (const fails of [true, false]) {
      for (const end of ['id', 'subject'] as const) {
        const world = new World()
        const process = world.process({ trustsWhenUnavailable })
        world.byHand = true
        const verdict = process.check(sessionRef())
        await turns()
        await (end === 'id' ? process.revokeId(ID) : process.revokeSubject(ADA))
        if (fails) world.asked[0]?.fail()
        else world.asked[0]?.answer([0, 0])
        t.equal(await verdict, 'revoked', JSON.stringify({ trustsWhenUnavailable, fails, end }))
      }
    }
  }
})

t.test('a lookup that fails is an error, or is distinguished from a result', async t => {
  const world = new World()
  world.isAway = true
  await t.rejects(world.process().check(sessionRef()), AWAY)
  const trusting = world.process({ trustsWhenUnavailable: true })
  t.equal(await trusting.check(sessionRef()), 'unavailable-trusted')
  t.equal(trusting.status(sessionRef()), 'unknown')
})

t.test('the last bit of the cut-off of an id in the store says how the session was revoked', async t => {
  for (const [cutOffMs, end] of [[START_MS, 'revoked'], [START_MS + 1, 'replaced']] as const) {
    const world = new World()
    const process = world.process()
    await world.raise(keyOfId(ID), cutOffMs, MINUTE_MS)
    t.equal(await process.check(sessionRef()), end)
    t.equal(process.status(sessionRef()), end, 'and is not asked again')
  }
  const world = new World()
  const process = world.process()
  await world.raise(ADA, START_MS + 1, MINUTE_MS)
  t.equal(await process.check(sessionRef()), 'revoked', 'of a subject it says no such thing')
  t.equal(process.status(sessionRef()), 'revoked')
})

t.test('the age of a result counts from the start of its lookup', async t => {
  const world = new World()
  const process = world.process()
  world.byHand = true
  const verdict = process.check(sessionRef())
  await turns()
  world.nowMs += MINUTE_MS - 1
  world.asked[0]?.answer([0, 0])
  t.equal(await verdict, 'active')
  t.equal(process.checkedAtMs(sessionRef()), START_MS)
  t.equal(process.status(sessionRef()), 'active')
  world.nowMs++
  t.equal(process.status(sessionRef()), 'unknown')
})

t.test('a lookup is shared while it is younger than the window, and an older one does not affect the next', async t => {
  const world = new World()
  const process = world.process()
  world.byHand = true
  const verdicts = [process.check(sessionRef())]
  world.nowMs += MINUTE_MS - 1
  verdicts.push(process.check(sessionRef()))
  t.equal(world.asked.length, 1)
  world.nowMs++
  verdicts.push(process.check(sessionRef()))
  t.equal(world.asked.length, 2)
  world.asked[0]?.answer([0, 0])
  await Promise.all(verdicts.slice(0, 2))
  verdicts.push(process.check(sessionRef()))
  t.equal(world.asked.length, 2, 'the second is still under way')
  process.check(sessionRef({ subjectKeys: [] })).catch(() => {})
  process.check(sessionRef({ id: 'b'.repeat(32) })).catch(() => {})
  t.equal(world.asked.length, 4, 'another question is not the same')
  for (const { answer } of world.asked) answer([0, 0])
  world.asked[2]?.answer([0])
  t.strictSame(await Promise.all(verdicts), ['active', 'active', 'active', 'active'])
})

t.test('a shared result is evaluated for each session by its own creation time', async t => {
  const world = new World()
  const process = world.process()
  world.byHand = true
  const later = sessionRef()
  const verdicts = [process.check(later), process.check(sessionRef({ createdAtMs: later.createdAtMs - 1 }))]
  t.equal(world.asked.length, 1)
  world.asked[0]?.answer([later.createdAtMs - 1, 0])
  t.strictSame(await Promise.all(verdicts), ['active', 'revoked'])
})

t.test('with a window of 0, no lookup is shared, even if the clock goes back', async t => {
  const world = new World()
  const process = world.process({ recheckMs: 0 })
  world.byHand = true
  const verdicts = [process.check(sessionRef()), process.check(sessionRef())]
  world.nowMs--
  verdicts.push(process.check(sessionRef()))
  t.equal(world.asked.length, 3)
  for (const { answer } of world.asked) answer([0, 0])
  t.strictSame(await Promise.all(verdicts), ['active', 'active', 'active'])
})

t.test('of two sequential lookups each is made, also if the first has failed', async t => {
  const world = new World()
  const process = world.process()
  t.equal(await process.check(sessionRef()), 'active')
  t.equal(await process.check(sessionRef()), 'active')
  t.equal(world.asked.length, 2)
  world.isAway = true
  await t.rejects(process.check(sessionRef()), AWAY)
  world.isAway = false
  t.equal(await process.check(sessionRef()), 'active')
  t.equal(world.asked.length, 3)
})
