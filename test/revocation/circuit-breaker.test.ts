import t, { type Test } from 'tap'
import { CircuitBreaker } from '../../lib/revocation/circuit-breaker'
import type { RevocationStore } from '../../types/revocation'
import { fakeTime, turns, type FakeTime } from '../helpers/clock'

const TIMEOUT_MS = 500
const AWAY = { code: 'FST_SESSION_STORE_UNAVAILABLE', statusCode: 503 }

type Answer = (answer: unknown) => void

/** A store that is answered by hand, and what was told of it. */
class World {
  readonly told: string[] = []
  readonly time: FakeTime
  readonly breaker: CircuitBreaker
  /** What answers each question that was asked, the oldest first. */
  readonly asked: Answer[] = []

  constructor (t: Test, name?: string) {
    this.time = fakeTime(t)
    const question = async (): Promise<never> => await new Promise((resolve, reject) => {
      this.asked.push(answer => { answer instanceof Error ? reject(answer) : resolve(answer as never) })
    })
    const store: RevocationStore = { cutOffs: question, raise: question, ...(name === undefined ? {} : { name }) }
    this.breaker = new CircuitBreaker(store, TIMEOUT_MS, {
      unavailable: error => { this.told.push(`failed: ${error.message}`) },
      available: () => { this.told.push('recovered') }
    })
  }

  /** Asks and answers at once. */
  async hear (answer: unknown): Promise<readonly number[]> {
    const heard = this.breaker.revokedBefore(['ada'])
    await turns()
    this.asked.at(-1)?.(answer)
    return await heard
  }

  /** Asks, and is not answered. */
  async waitInVain (t: Test): Promise<void> {
    const asking = t.rejects(this.breaker.revokedBefore(['ada']), AWAY)
    await this.time.pass(TIMEOUT_MS)
    await asking
  }

  /** So often that it rests. */
  async giveUp (t: Test): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await this.waitInVain(t)
  }
}

t.test('a result of the store is passed on, and nothing is reported', async t => {
  const { breaker, asked, told, time } = new World(t)
  const [cutOffs, before] = [breaker.revokedBefore(['ada', 'eve']), breaker.raise('ada', 7, 100)]
  await turns()
  asked[0]?.([5, 0])
  asked[1]?.(3)
  t.strictSame([await cutOffs, await before, told], [[5, 0], 3, []])
  t.equal(time.waiting, 0, 'and no timer stays')
})

t.test('the store is called with the same arguments, and has its own name in messages', async t => {
  const calls: unknown[] = []
  const store = {
    answer: 9,
    async cutOffs (keys: readonly string[]) { calls.push(keys); return keys.map(() => this.answer) },
    async raise (...all: unknown[]) { calls.push(all); return this.answer }
  }
  const breaker = new CircuitBreaker(store, TIMEOUT_MS, { unavailable () {}, available () {} })
  t.strictSame([await breaker.revokedBefore(['ada', 'eve']), await breaker.raise('ada', 7, 100)], [[9, 9], 9])
  t.strictSame(calls, [['ada', 'eve'], ['ada', 7, 100]])
})

t.test('a store that exceeds the timeout counts as unavailable, and its late result is ignored', async t => {
  const world = new World(t)
  const asking = t.rejects(world.breaker.raise('ada', 7, 100), AWAY)
  await world.time.pass(TIMEOUT_MS - 1)
  t.strictSame(world.told, [])
  await world.time.pass(1)
  await asking
  t.match(world.told, [/^failed: the revocation store did not answer for 500 ms$/])
  world.asked[0]?.(3)
  await turns()
  t.equal(world.told.length, 1)
  t.equal(world.time.waiting, 0)
})

t.test('a late error of the store is ignored', async t => {
  const world = new World(t)
  await world.waitInVain(t)
  world.asked[0]?.(new Error('closed'))
  await turns()
  t.equal(world.told.length, 1)
})

t.test('the beginning and the end of an outage are reported once each, with the name of the store', async t => {
  const world = new World(t, 'the cut-offs')
  for (let outage = 1; outage <= 2; outage++) {
    await t.rejects(world.hear(new Error('closed')), AWAY)
    await world.waitInVain(t)
    await t.rejects(world.hear(new Error('READONLY')), AWAY)
    await world.hear([0])
    await world.hear([0])
    t.equal(world.told.length, 2 * outage)
  }
  t.strictSame(world.told, ['failed: the cut-offs failed: closed', 'recovered', 'failed: the cut-offs failed: closed', 'recovered'])
})

t.test('a store that throws synchronously counts as unavailable', async t => {
  const store = { cutOffs () { throw new Error('closed') }, raise () { throw new Error('closed') } }
  const breaker = new CircuitBreaker(store, TIMEOUT_MS, { unavailable () {}, available () {} })
  for (let turn = 0; turn < 5; turn++) {
    await t.rejects(breaker.revokedBefore(['ada']), AWAY)
    await t.rejects(breaker.raise('ada', 7, 100), AWAY)
  }
})

t.test('an invalid result of the store is an error', async t => {
  const world = new World(t)
  for (const answer of [undefined, null, 7, '7', {}, [], [1, 2], ['7'], [null], [NaN], [-1], [7n], { length: 1, 0: 7 }]) {
    await t.rejects(world.hear(answer), AWAY)
  }
  for (const answer of [undefined, null, '7', NaN, -1, 7n, [7]]) {
    const raising = t.rejects(world.breaker.raise('ada', 7, 100), AWAY)
    await turns()
    world.asked.at(-1)?.(answer)
    await raising
  }
  t.strictSame(await world.hear([Infinity]), [Infinity], 'forever is a time')
})

t.test('a store that never answers is called three times, and then not for a while', async t => {
  const world = new World(t)
  await world.giveUp(t)
  t.equal(world.asked.length, 3)
  for (let turn = 0; turn < 100; turn++) {
    await t.rejects(world.breaker.revokedBefore(['ada']), AWAY)
    await t.rejects(world.breaker.raise('ada', 7, 100), AWAY)
  }
  t.equal(world.asked.length, 3, 'nobody waits for it, and nothing is kept for it')
  t.equal(world.time.waiting, 1, 'but its rest')
  t.equal(world.told.length, 1)
})

t.test('after the pause one call is made, and other calls fail at once until it ends', async t => {
  const world = new World(t)
  await world.giveUp(t)
  for (let rest = 1; rest <= 5; rest++) {
    await world.time.pass(TIMEOUT_MS)
    const first = t.rejects(world.breaker.revokedBefore(['ada']), AWAY)
    await t.rejects(world.breaker.revokedBefore(['eve']), AWAY)
    await t.rejects(world.breaker.raise('eve', 7, 100), AWAY)
    await world.time.pass(TIMEOUT_MS)
    await first
    t.equal(world.asked.length, 3 + rest)
    await t.rejects(world.breaker.revokedBefore(['eve']), AWAY)
    t.equal(world.asked.length, 3 + rest, 'and it rests again')
  }
  t.equal(world.told.length, 1)
})

t.test('a result of the call after the pause ends the outage', async t => {
  const world = new World(t)
  await world.giveUp(t)
  await world.time.pass(TIMEOUT_MS)
  t.strictSame(await world.hear([0]), [0])
  const all = Promise.all([world.breaker.revokedBefore(['ada']), world.breaker.revokedBefore(['eve'])])
  await turns()
  for (const answer of world.asked.slice(-2)) answer([5])
  t.strictSame(await all, [[5], [5]])
  t.match(world.told, [/^failed/, 'recovered'])
  t.equal(world.time.waiting, 0)
})

t.test('an error of the call after the pause ends the pause, because no call has to wait', async t => {
  const world = new World(t)
  await world.giveUp(t)
  await world.time.pass(TIMEOUT_MS)
  for (let turn = 0; turn < 5; turn++) await t.rejects(world.hear(new Error('READONLY')), AWAY)
  t.equal(world.asked.length, 3 + 5)
  t.equal(world.told.length, 1)
  await world.waitInVain(t)
  await world.waitInVain(t)
  t.strictSame(await world.hear([0]), [0], 'and the count of those who waited in vain begins anew')
})

t.test('many parallel timeouts begin only one pause', async t => {
  const world = new World(t)
  const asking = Array.from({ length: 50 }, async () => { await t.rejects(world.breaker.revokedBefore(['ada']), AWAY) })
  await world.time.pass(TIMEOUT_MS)
  await Promise.all(asking)
  t.strictSame([world.asked.length, world.time.waiting, world.told.length], [50, 1, 1])
  await world.time.pass(TIMEOUT_MS)
  t.equal(world.time.waiting, 0)
  t.strictSame(await world.hear([0]), [0])
})

t.test('a late result during the pause ends the pause', async t => {
  const world = new World(t)
  const early = [1, 2, 3].map(async () => { await t.rejects(world.breaker.revokedBefore(['ada']), AWAY) })
  await world.time.pass(TIMEOUT_MS - 1)
  const late = world.breaker.revokedBefore(['eve'])
  await world.time.pass(1)
  await Promise.all(early)
  await t.rejects(world.breaker.revokedBefore(['bob']), AWAY)
  world.asked[3]?.([5])
  t.strictSame(await late, [5])
  t.strictSame(await world.hear([0]), [0])
  t.match(world.told, [/^failed/, 'recovered'])
})

t.test('the timers of the store do not keep the process alive', async t => {
  const timers: Array<{ hasRef: () => boolean }> = []
  const real = globalThis.setTimeout
  t.teardown(() => { globalThis.setTimeout = real })
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    const timer = real(...args)
    timers.push(timer)
    return timer
  }) as typeof setTimeout
  const never = async (): Promise<never> => await new Promise(() => {})
  const breaker = new CircuitBreaker({ cutOffs: never, raise: never }, 1, { unavailable () {}, available () {} })
  const keepAlive = setInterval(() => {}, 1000)
  t.teardown(() => { clearInterval(keepAlive) })
  for (let turn = 0; turn < 3; turn++) await t.rejects(breaker.revokedBefore(['ada']), AWAY)
  t.equal(timers.length, 4, 'three that waited, and a rest')
  t.ok(timers.every(timer => !timer.hasRef()))
})
