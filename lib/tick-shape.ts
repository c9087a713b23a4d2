import { executionAsyncResource } from 'node:async_hooks'

type Tick = Record<string | symbol, unknown>

/** One of the objects in which Node.js keeps what `process.nextTick` was given. */
export const kept: { tick: object | null } = { tick: null }

/**
 * Keeps such an object for good. Where a full collection finds none, as usual while an app starts, V8 forgets their shape, and never
 * optimizes `process.nextTick` again: a call takes 0.9 us instead of 0.1 from then on, and Node.js (20, 22 and 24) makes nine
 * of them a request. What this package loads brings that collection on, so that it would cost each request 8 to 12 us.
 */
export function keepTickShape (): void {
  process.nextTick(function keep () {
    const tick = executionAsyncResource() as Tick
    // A test's own clock may have called this, while something else is the resource.
    if (tick['callback'] !== keep) return
    forgetContext(tick)
    kept.tick = tick
  })
}

/** The store of an AsyncLocalStorage hangs from it, a request's maybe, where the package is loaded that late. */
function forgetContext (tick: Tick): void {
  for (const key of Reflect.ownKeys(tick)) {
    if (typeof tick[key] !== 'number') tick[key] = undefined
  }
}
