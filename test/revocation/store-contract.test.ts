import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { revocationStoreContract, type RevocationStore, type RevocationStoreHarness } from '../../lib/revocation-contract'
import { memoryRevocation } from '../../lib/stores/revocation-memory'
import { redisRevocation } from '../../lib/stores/revocation-redis'
import { fakeClock } from '../helpers/clock'
import { isRealRedis, startRedis } from '../helpers/redis'

function keepsContract (t: Test, store: RevocationStore, harness?: RevocationStoreHarness): void {
  for (const { name, run } of revocationStoreContract) {
    t.test(name, async t => { await t.resolves(run(store, harness)) })
  }
}

t.test('cut-offs in memory', async t => {
  const clock = fakeClock(t)
  keepsContract(t, memoryRevocation(), { wait: async ms => { clock.advance(ms) } })
})

t.test('cut-offs in a memory store with a small maximum', async t => {
  const clock = fakeClock(t)
  for (const { name, run } of revocationStoreContract) {
    t.test(name, async t => { await t.resolves(run(memoryRevocation({ max: 150 }), { wait: async ms => { clock.advance(ms) } })) })
  }
})

t.test('cut-offs in memory, by the clock of the machine', async t => {
  keepsContract(t, memoryRevocation())
})

t.test('cut-offs in Redis', async t => {
  const server = await startRedis()
  t.teardown(async () => { await server.remove() })
  // A real one goes by the clock of the machine.
  const clock = isRealRedis() ? null : fakeClock(t)
  const harness = clock === null ? {} : { wait: async (ms: number) => { clock.advance(ms) } }
  const storeOf = (options = {}): RevocationStore => {
    const client = new Redis(server.url, options)
    t.teardown(() => { client.disconnect() })
    return redisRevocation(client)
  }

  t.test('cut-offs in Redis through one client', async t => { keepsContract(t, storeOf(), harness) })

  t.test('cut-offs in Redis through a client with pipelines and its own prefix', async t => {
    keepsContract(t, storeOf({ enableAutoPipelining: true, keyPrefix: 'app:' }), harness)
  })

  t.test('cut-offs in Redis through ten clients in turn', async t => {
    const stores = Array.from({ length: 10 }, () => storeOf())
    let turn = 0
    const next = (): RevocationStore => stores[turn++ % stores.length] as RevocationStore
    keepsContract(t, {
      async cutOffs (keys) { return await next().cutOffs(keys) },
      async raise (...args) { return await next().raise(...args) }
    }, harness)
  })
})

interface Kept {
  readonly cutOffMs: number
  readonly endMs: number
}

const NOTHING: Kept = { cutOffMs: 0, endMs: 0 }

/** A store as somebody could write one, of parts that can each be wrong. */
const RIGHT = {
  keyOf: (key: string): string => key,
  isOver: ({ endMs }: Kept, nowMs: number): boolean => endMs <= nowMs,
  cutOff: (held: number, given: number): number => Math.max(held, given),
  end: (held: Kept, given: Kept): number => Math.max(held.endMs, given.endMs),
  reply: (before: number, _given: number): number => before,
  answer: (cutOffs: number[], _keys: readonly string[]): number[] => cutOffs,
  /** How many entries there is room for. */
  most: Infinity,
  /** Up to when all sessions are over, once this entry had to be forgotten. */
  floor: (_forgotten: Kept, _nowMs: number): number => 0,
  /** Between reading and writing. */
  gap: null as null | (() => Promise<void>)
}

function storeOf (parts: typeof RIGHT, now: () => number): RevocationStore {
  const all = new Map<string, Kept>()
  let floorMs = 0
  const held = (key: string): Kept => {
    const kept = all.get(parts.keyOf(key)) ?? NOTHING
    const { cutOffMs, endMs } = parts.isOver(kept, now()) ? NOTHING : kept
    return { cutOffMs: Math.max(floorMs, cutOffMs), endMs }
  }
  const makeRoom = (): void => {
    if (all.size < parts.most) return
    const [[oldest, forgotten]] = all as unknown as [[string, Kept]]
    all.delete(oldest)
    floorMs = Math.max(floorMs, parts.floor(forgotten, now()))
  }
  return {
    async cutOffs (keys) { return parts.answer(keys.map(key => held(key).cutOffMs), keys) },
    async raise (key, cutOffMs, keepForMs) {
      const before = held(key)
      if (parts.gap !== null) await parts.gap()
      const given = { cutOffMs, endMs: now() + keepForMs }
      makeRoom()
      all.set(parts.keyOf(key), { cutOffMs: parts.cutOff(before.cutOffMs, cutOffMs), endMs: parts.end(before, given) })
      return parts.reply(before.cutOffMs, cutOffMs)
    }
  }
}

/** The names of the checks that a store of these parts fails. */
async function failures (t: Test, parts: typeof RIGHT): Promise<string[]> {
  const clock = fakeClock(t)
  const store = storeOf(parts, () => clock.nowMs)
  const failed: string[] = []
  for (const { name, run } of revocationStoreContract) {
    const isFailed = await run(store, { wait: async ms => { clock.advance(ms) } }).then(() => false, error => error.code === 'ERR_ASSERTION')
    if (isFailed) failed.push(name)
  }
  return failed
}

t.test('a correct store passes every check of the contract', async t => {
  t.strictSame(await failures(t, RIGHT), [])
})

const FAULTS: ReadonlyArray<[fault: string, parts: Partial<typeof RIGHT>, failed: RegExp]> = [
  ['lowers a cut-off', { cutOff: (_held, given) => given }, /never lowers/],
  ['keeps the first cut-off', { cutOff: (held, given) => held === 0 ? given : held }, /a larger cut-off raises/],
  ['compares cut-offs as text', { cutOff: (held, given) => String(held) < String(given) ? given : held }, /a larger cut-off raises/],
  ['raises without atomicity', { gap: async () => {} }, /parallel/],
  ['never expires an entry', { isOver: () => false }, /expires/],
  ['shortens the life of an entry', { end: (_held, given) => given.endMs }, /never shortens/],
  ['never extends the life of an entry', { end: (held, given) => held === NOTHING ? given.endMs : held.endMs }, /extends/],
  ['extends the life of an entry only for a larger cut-off', { end: (held, given) => given.cutOffMs > held.cutOffMs ? Math.max(held.endMs, given.endMs) : held.endMs }, /extends/],
  ['returns cut-offs sorted by key', { answer: (cutOffs, keys) => keys.map((key, index) => ({ key, cutOff: cutOffs[index] as number })).sort((a, b) => a.key < b.key ? -1 : 1).map(({ cutOff }) => cutOff) }, /in the order/],
  ['returns sorted cut-offs', { answer: cutOffs => cutOffs.sort((a, b) => a - b) }, /in the order/],
  ['returns one cut-off for a repeated key', { answer: (cutOffs, keys) => cutOffs.filter((_, index) => keys.indexOf(keys[index] as string) === index) }, /requested twice/],
  ['omits unknown keys', { answer: cutOffs => cutOffs.filter(cutOff => cutOff !== 0) }, /unknown/],
  ['ignores a raise to 0', { end: (held, given) => given.cutOffMs === 0 ? held.endMs : Math.max(held.endMs, given.endMs) }, /a cut-off of 0/],
  ['drops entries and ends all sessions up to now', { most: 150, floor: (_forgotten, nowMs) => nowMs }, /any number of cut-offs/],
  ['drops entries and ends sessions up to their cut-offs', { most: 150, floor: ({ cutOffMs }) => cutOffMs }, /any number of cut-offs/],
  ['returns text', { answer: cutOffs => cutOffs.map(String) as never }, /to the millisecond/],
  ['counts in seconds', { cutOff: (held, given) => Math.max(held, Math.floor(given / 1000) * 1000) }, /to the millisecond/],
  ['keeps 14 digits', { cutOff: (held, given) => Math.max(held, Number(given.toPrecision(14))) }, /to the millisecond/],
  ['resolves to the new cut-off', { reply: Math.max }, /the previous one/],
  ['ignores the case of keys', { keyOf: key => key.toLowerCase() }, /independent/],
  ['shortens keys', { keyOf: key => key.slice(0, 21) }, /independent/]
]

for (const [fault, parts, failed] of FAULTS) {
  t.test(`a store that ${fault} fails a check of the contract`, async t => {
    t.match((await failures(t, { ...RIGHT, ...parts })).join('\n'), failed)
  })
}
