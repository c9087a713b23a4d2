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
