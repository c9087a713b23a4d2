import type { Test } from 'tap'

/** A clock that moves only when it is told to. */
export interface FakeClock {
  readonly nowMs: number
  advance (ms: number): void
  set (ms: number): void
}

/** Puts a fake clock in the place of `Date.now` until the test ends. */
export function fakeClock (t: Test, startMs = Date.UTC(2026, 0, 1)): FakeClock {
  const real = Date.now
  let nowMs = startMs
  Date.now = () => nowMs
  t.teardown(() => { Date.now = real })
  return {
    get nowMs () { return nowMs },
    advance (ms) { nowMs += ms },
    set (ms) { nowMs = ms }
  }
}

interface FakeTimer {
  readonly atMs: number
  readonly run: () => void
}

/** Time that passes only when it is told to, timers included. What a timer starts gets its turn before the next one runs. */
export interface FakeTime extends FakeClock {
  pass (ms: number): Promise<void>
  /** How many timers are set. */
  readonly waiting: number
}

/** Puts fakes in the place of `Date.now`, `setTimeout` and `clearTimeout` until the test ends. */
export function fakeTime (t: Test): FakeTime {
  const clock = fakeClock(t)
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout }
  const timers = new Set<FakeTimer>()
  globalThis.setTimeout = ((run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const timer = { atMs: clock.nowMs + Math.max(1, ms), run: () => { run(...args) }, unref: () => timer, ref: () => timer }
    timers.add(timer)
    return timer
  }) as unknown as typeof setTimeout
  globalThis.clearTimeout = ((timer: FakeTimer) => { timers.delete(timer) }) as unknown as typeof clearTimeout
  t.teardown(() => { Object.assign(globalThis, real) })
  return {
    get nowMs () { return clock.nowMs },
    get waiting () { return timers.size },
    advance: clock.advance,
    set: clock.set,
    async pass (ms) {
      const endMs = clock.nowMs + ms
      for (;;) {
        await turns()
        const [next] = [...timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)
        if (next === undefined) break
        timers.delete(next)
        clock.set(Math.max(clock.nowMs, next.atMs))
        next.run()
      }
      clock.set(endMs)
    }
  }
}

/** Lets time pass until something is done that waits for the disk or the network as well. */
export async function passUntil<T> (time: FakeTime, work: Promise<T>): Promise<T> {
  const state = { isDone: false }
  const done = (): void => { state.isDone = true }
  work.then(done, done)
  while (!state.isDone) await time.pass(100)
  return await work
}

/** Enough turns of the event loop for what is under way to come to its next wait for time. */
export async function turns (count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => { setImmediate(resolve) })
}
