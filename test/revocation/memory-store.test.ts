import t from 'tap'
import { memoryRevocation } from '../../lib/stores/revocation-memory'
import { fakeClock } from '../helpers/clock'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const DAY_MS = 24 * 60 * MINUTE_MS

/** A clock of one's own, as the option takes one. */
function ownClock (nowMs = Date.UTC(2026, 0, 1)) {
  return { now: () => nowMs, pass (ms: number) { nowMs += ms } }
}

t.test('the memory store uses the clock of the machine, or the given one', async t => {
  const machine = fakeClock(t)
  const own = ownClock()
  for (const { store, pass } of [{ store: memoryRevocation(), pass: machine.advance }, { store: memoryRevocation({ now: own.now }), pass: own.pass }]) {
    await store.raise('ada', 7, SECOND_MS)
    pass(SECOND_MS - 1)
    t.strictSame(await store.cutOffs(['ada']), [7])
    pass(1)
    t.strictSame(await store.cutOffs(['ada']), [0])
  }
})

t.test('the memory store removes expired entries during a raise, once a minute at most', async t => {
  const { now, pass } = ownClock()
  const store = memoryRevocation({ now })
  for (let index = 0; index < 50; index++) await store.raise(`short ${index}`, 1, SECOND_MS)
  await store.raise('long', 1, DAY_MS)
  t.equal(store.size, 51)
  pass(MINUTE_MS - 1)
  await store.raise('long', 2, DAY_MS)
  t.equal(store.size, 51, 'not yet')
  pass(1)
  await store.cutOffs(['long'])
  t.equal(store.size, 51, 'not by reading')
  await store.raise('long', 3, DAY_MS)
  t.equal(store.size, 1)
  t.strictSame(await store.cutOffs(['long', 'short 0']), [3, 0])
})

t.test('a full memory store removes expired entries before valid ones', async t => {
  const { now, pass } = ownClock()
  const store = memoryRevocation({ max: 3, now })
  await store.raise('long', 10, DAY_MS)
  await store.raise('short', 20, SECOND_MS)
  await store.raise('longer', 30, 2 * DAY_MS)
  pass(SECOND_MS)
  await store.raise('new', 40, DAY_MS)
  t.equal(store.size, 3)
  t.strictSame(await store.cutOffs(['long', 'short', 'longer']), [10, 0, 30])
  t.strictSame(await store.cutOffs(['new', 'unknown']), [40, 0], 'nobody else is logged out')
  pass(DAY_MS - SECOND_MS)
  await store.raise('newest', 50, 2 * DAY_MS)
  t.strictSame(await store.cutOffs(['long', 'longer', 'new', 'newest']), [0, 30, 40, 50], 'and so it goes on')
})

t.test('a memory store full of valid entries drops the oldest, and revokes all sessions up to it', async t => {
  const { now } = ownClock()
  const store = memoryRevocation({ max: 2, now })
  await store.raise('first', 10, DAY_MS)
  await store.raise('second', 20, DAY_MS)
  t.strictSame(await store.cutOffs(['unknown']), [0])
  t.equal(await store.raise('third', 30, DAY_MS), 0)
  t.equal(store.size, 2)
  t.strictSame(await store.cutOffs(['first', 'second', 'third', 'unknown']), [10, 20, 30, 10])
  t.equal(await store.raise('unknown', 5, DAY_MS), 10, 'which is what stood before for every key')
  t.strictSame(await store.cutOffs(['unknown', 'second', 'third']), [20, 20, 30])
})

t.test('a raise makes a cut-off the youngest, and the lower bound of the memory store never decreases', async t => {
  const { now } = ownClock()
  const store = memoryRevocation({ max: 2, now })
  await store.raise('first', 10, DAY_MS)
  await store.raise('second', 50, DAY_MS)
  t.equal(await store.raise('first', 11, DAY_MS), 10, 'room is needed for a new key only')
  t.strictSame([store.size, ...await store.cutOffs(['unknown'])], [2, 0])
  await store.raise('third', 60, DAY_MS)
  t.strictSame(await store.cutOffs(['first', 'third', 'unknown']), [50, 60, 50])
  await store.raise('fourth', 70, DAY_MS)
  t.strictSame(await store.cutOffs(['unknown']), [50], 'though what was forgotten now was at 11')
})

t.test('a flood of revocations does not exceed the maximum of entries, and none is undone', async t => {
  const { now, pass } = ownClock()
  const store = memoryRevocation({ max: 100, now })
  for (let index = 1; index <= 10_000; index++) {
    pass(1)
    await store.raise(`session ${index}`, now(), DAY_MS)
  }
  t.equal(store.size, 100)
  const startMs = now() - 10_000
  for (const index of [1, 5000, 9900, 9901, 10_000]) {
    const [cutOffMs] = await store.cutOffs([`session ${index}`])
    t.ok(cutOffMs as number >= startMs + index)
  }
  pass(DAY_MS)
  await store.raise('next', now(), DAY_MS)
  t.equal(store.size, 1)
})

t.test('a dropped cut-off in the future ends only sessions from before it was made', async t => {
  const { now, pass } = ownClock()
  const store = memoryRevocation({ max: 1, now })
  const madeAtMs = now()
  await store.raise('ahead', now() + MINUTE_MS, DAY_MS)
  pass(SECOND_MS)
  await store.raise('next', now() + MINUTE_MS, DAY_MS)
  t.strictSame(await store.cutOffs(['unknown']), [madeAtMs])
  pass(SECOND_MS)
  await store.raise('next', now(), DAY_MS)
  pass(SECOND_MS)
  await store.raise('last', now(), DAY_MS)
  t.strictSame(await store.cutOffs(['unknown']), [madeAtMs + SECOND_MS], 'a raise that did not raise it made nothing')
})

t.test('a raise to 0 extends the life of an entry, and dropping it revokes nothing', async t => {
  const { now, pass } = ownClock()
  const store = memoryRevocation({ max: 1, now })
  t.equal(await store.raise('ada', 0, DAY_MS), 0)
  t.equal(await store.raise('ada', 7, SECOND_MS), 0)
  pass(DAY_MS - 1)
  t.strictSame(await store.cutOffs(['ada', 'eve']), [7, 0])
  pass(1)
  t.strictSame(await store.cutOffs(['ada']), [0])
  await store.raise('eve', 0, DAY_MS)
  await store.raise('bob', 0, DAY_MS)
  t.strictSame(await store.cutOffs(['unknown']), [0])
})

t.test('the memory store has room for 100,000 entries by default', async t => {
  const store = memoryRevocation({ now: () => DAY_MS })
  for (let index = 1; index <= 100_000; index++) await store.raise(`session ${index}`, index, DAY_MS)
  t.strictSame(await store.cutOffs(['unknown']), [0])
  await store.raise('one more', 100_001, DAY_MS)
  t.strictSame([store.size, ...await store.cutOffs(['unknown'])], [100_000, 1])
})

t.test('the memory store has a name for messages', async t => {
  t.equal(memoryRevocation().name, 'revocations in memory')
})

t.test('invalid options of the memory store are refused', async t => {
  for (const wrong of [null, 7, [], { max: 0 }, { max: 1.5 }, { max: '5' }, { max: Infinity }, { max: 1_000_001 }, { now: 7 }, { maximum: 5 }]) {
    t.throws(() => memoryRevocation(wrong as never), { code: 'FST_SESSION_INVALID_OPTION' })
  }
})
