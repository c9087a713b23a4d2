import { deepStrictEqual, fail, ok, strictEqual } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { RevocationStore } from '../types/revocation'
import { pause } from './timers'

/** The requirements for a revocation store, as checks for any test runner. */

export type { RevocationStore }

/** How a check waits. */
export interface RevocationStoreHarness {
  /**
   * Waits for this many milliseconds of the store's time. With a fake clock, advance the clock.
   * @default a real timer
   */
  wait?: (ms: number) => Promise<unknown>
}

/** One requirement for a revocation store. */
export interface RevocationStoreCheck {
  /** A sentence, such as `a smaller cut-off never lowers one`. */
  readonly name: string
  /**
   * Runs the check. Rejects with an AssertionError if the store violates the contract, or with the error of the store.
   * @param store the store to check
   * @param harness for a store with a fake clock
   */
  run (store: RevocationStore, harness?: RevocationStoreHarness): Promise<void>
}

/**
 * The contract of a RevocationStore. Every check uses its own random keys, so checks can share a store and run in
 * parallel. Their entries are kept for at most ten minutes. If a store has room for fewer than 3,000 entries, each
 * check needs its own store. The clock of the store must agree with `Date.now()`.
 * @example
 * for (const { name, run } of revocationStoreContract) test(name, () => run(store))
 */
export const revocationStoreContract: readonly RevocationStoreCheck[] = [
  check('the cut-off of an absent key is 0', async store => {
    deepStrictEqual(await read(store, freshKey()), [0])
  }),

  check('a cut-off is read back to the millisecond', async store => {
    for (const cutOffMs of [1, NOON, NOON + 1, LAST_DATE - 1, LAST_DATE]) {
      const key = freshKey()
      await store.raise(key, cutOffMs, LONG_MS)
      deepStrictEqual(await read(store, key), [cutOffMs])
    }
  }),

  check('cut-offs are returned in the order of the keys, also for a key that is requested twice', async store => {
    const [first, second] = [freshKey(), freshKey()]
    await store.raise(second, NOON, LONG_MS)
    await store.raise(first, NOON + 1, LONG_MS)
    deepStrictEqual(await read(store, first, second), [NOON + 1, NOON])
    deepStrictEqual(await read(store, second, first), [NOON, NOON + 1])
    deepStrictEqual(await read(store, first, second, first), [NOON + 1, NOON, NOON + 1])
  }),

  check('an unknown key is 0 among known keys', async store => {
    const [first, second] = [freshKey(), freshKey()]
    await store.raise(first, NOON, LONG_MS)
    await store.raise(second, NOON + 1, LONG_MS)
    deepStrictEqual(await read(store, first, freshKey(), second), [NOON, 0, NOON + 1])
    deepStrictEqual(await read(store, freshKey(), second, freshKey()), [0, NOON + 1, 0])
  }),

  check('a larger cut-off raises one, a smaller never lowers it, each resolves to the previous one', async store => {
    const key = freshKey()
    let current = 0
    for (const cutOffMs of [SHORTER, NOON, SHORTER, NOON + 1, NOON, NOON + 1, 1, LAST_DATE, NOON]) {
      strictEqual(await store.raise(key, cutOffMs, LONG_MS), current)
      current = Math.max(current, cutOffMs)
      deepStrictEqual(await read(store, key), [current])
    }
  }),

  check('keys are independent, also if they differ only in case', async store => {
    const key = `aA${freshKey().slice(2)}`
    const others = [`Aa${key.slice(2)}`, key.toLowerCase(), key.toUpperCase(), key.slice(0, -1)]
    await store.raise(key, NOON, LONG_MS)
    for (const other of others) deepStrictEqual(await read(store, other), [0])
    await Promise.all(others.map(async (other, index) => { await store.raise(other, NOON + 1 + index, LONG_MS) }))
    deepStrictEqual(await read(store, key), [NOON])
    for (const [index, other] of others.entries()) deepStrictEqual(await read(store, other), [NOON + 1 + index])
  }),

  check('a hundred parallel raises end at the largest cut-off, like sequential ones', async store => {
    const key = freshKey()
    const given = Array.from({ length: 100 }, (_, index) => NOON + index * 37 % 100)
    const raises = await Promise.all(given.map(async cutOffMs => {
      return { cutOffMs, before: await store.raise(key, cutOffMs, LONG_MS) }
    }))
    deepStrictEqual(await read(store, key), [NOON + 99])
    const steps = raises.filter(({ cutOffMs, before }) => before < cutOffMs).sort((a, b) => a.cutOffMs - b.cutOffMs)
    const reached = steps.map(({ cutOffMs }) => cutOffMs)
    deepStrictEqual(steps.map(({ before }) => before), [0, ...reached.slice(0, -1)])
    for (const { before } of raises) {
      ok(before === 0 || reached.includes(before), `a raise resolved to ${before}, which was never the cut-off`)
    }
  }),

  check('of a hundred parallel raises to one cut-off, exactly one resolves to less', async store => {
    const key = freshKey()
    const raise = async (): Promise<number> => await store.raise(key, NOON, LONG_MS)
    const before = await Promise.all(Array.from({ length: 100 }, raise))
    deepStrictEqual(before.sort((a, b) => a - b), [0, ...Array.from({ length: 99 }, () => NOON)])
  }),

  check('a cut-off expires after its time', async (store, wait) => {
    const key = freshKey()
    await store.raise(key, NOON + 1, SHORT_MS)
    await untilExpired(store, key, wait)
    strictEqual(await store.raise(key, NOON, LONG_MS), 0)
    deepStrictEqual(await read(store, key), [NOON])
  }),

  check('a raise with a shorter time never shortens the life of an entry', async (store, wait) => {
    const [raised, unchanged] = [freshKey(), freshKey()]
    for (const key of [raised, unchanged]) await store.raise(key, NOON, LONG_MS)
    await store.raise(raised, NOON + 1, SHORT_MS)
    await store.raise(unchanged, NOON - 1, SHORT_MS)
    await untilShortExpired(store, wait)
    deepStrictEqual(await read(store, raised, unchanged), [NOON + 1, NOON])
  }),

  check('a raise with a longer time extends the life of an entry, also for a smaller cut-off', async (store, wait) => {
    const raises = [NOON - 1, NOON, NOON + 1].map(cutOffMs => ({ key: freshKey(), cutOffMs }))
    const expected: number[] = []
    for (const { key, cutOffMs } of raises) {
      await store.raise(key, NOON, SHORT_MS)
      // On a slow machine the first may have expired by now: `before` is then 0.
      const before = await store.raise(key, cutOffMs, LONG_MS)
      expected.push(Math.max(before, cutOffMs))
    }
    await untilShortExpired(store, wait)
    deepStrictEqual(await read(store, ...raises.map(({ key }) => key)), expected)
  }),

  check('a cut-off of 0 revokes nothing, and the entry is kept for its time', async (store, wait) => {
    const [kept, raised] = [freshKey(), freshKey()]
    strictEqual(await store.raise(kept, 0, LONG_MS), 0)
    deepStrictEqual(await read(store, kept), [0])
    await store.raise(raised, NOON, LONG_MS)
    strictEqual(await store.raise(raised, 0, SHORT_MS), NOON)
    strictEqual(await store.raise(kept, NOON, SHORT_MS), 0)
    await untilShortExpired(store, wait)
    deepStrictEqual(await read(store, kept, raised), [NOON, NOON])
  }),

  check('any number of cut-offs in the future revoke no session that is created later', async (store, wait) => {
    const aheadMs = Date.now() + AHEAD_MS
    for (let made = 0; made < FLOOD; made += AT_ONCE) {
      const raise = async (): Promise<unknown> => await store.raise(freshKey(), aheadMs, LONG_MS)
      await Promise.all(Array.from({ length: AT_ONCE }, raise))
    }
    await wait(SHORT_MS)
    const createdAtMs = Date.now()
    await store.raise(freshKey(), aheadMs, LONG_MS)
    const [cutOffMs] = await read(store, freshKey()) as [number]
    const found = `after ${FLOOD} raises, a key that was never raised has a cut-off that revokes a session created now`
    ok(cutOffMs < createdAtMs, found)
  })
]

type Wait = (ms: number) => Promise<unknown>

const NOON = Date.UTC(2026, 0, 1, 12)
/** One digit fewer than NOON: compared as text it would be larger. */
const SHORTER = 999_999_999_999
/** The largest time of a Date: 16 digits. */
const LAST_DATE = 8_640_000_000_000_000

/** More entries than some stores hold. */
const FLOOD = 2000
const AT_ONCE = 100
/** The cut-off of an id is this far in the future. */
const AHEAD_MS = 60_000

const SHORT_MS = 100
const LONG_MS = 600_000
/** Some stores count in seconds, and some machines are slow. */
const TIMEOUT_MS = 20_000

function check (name: string, work: (store: RevocationStore, wait: Wait) => Promise<void>): RevocationStoreCheck {
  return { name, async run (store, { wait = pause } = {}) { await work(store, wait) } }
}

/** 22 characters of base64url, as all keys are. */
function freshKey (): string {
  return randomBytes(16).toString('base64url')
}

async function read (store: RevocationStore, ...keys: string[]): Promise<number[]> {
  return [...await store.cutOffs(keys)]
}

/** Waits until entries that were raised before with SHORT_MS have expired: a new entry with SHORT_MS expires last. */
async function untilShortExpired (store: RevocationStore, wait: Wait): Promise<void> {
  const witness = freshKey()
  await store.raise(witness, NOON, SHORT_MS)
  await untilExpired(store, witness, wait)
}

async function untilExpired (store: RevocationStore, key: string, wait: Wait): Promise<void> {
  for (let waitedMs = 0; waitedMs < TIMEOUT_MS; waitedMs += SHORT_MS) {
    await wait(SHORT_MS)
    if ((await read(store, key))[0] === 0) return
  }
  fail(`a cut-off that was to be kept for ${SHORT_MS} ms is still there after ${TIMEOUT_MS / 1000} seconds`)
}
