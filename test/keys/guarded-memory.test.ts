import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { guard } from '../../lib/core/aead'
import { sodium, type Sodium } from '../../lib/core/sodium'
import { fixedTerms, Keyring } from '../../lib/keyring/keyring'
import { createSealer } from '../../lib/sealer'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const PATIENCE_TURNS = 200
const KEYS_PER_PIECE = 127
const NO_MEMORY = { code: 'FST_SESSION_NO_GUARDED_MEMORY', statusCode: 500 }
const hasMaps = existsSync('/proc/self/maps')

/** How many memory mappings this process has. Linux gives it 65,530; a piece of guarded memory takes four. */
function mappings (): number {
  return readFileSync('/proc/self/maps', 'utf8').split('\n').length
}

/** Collects garbage until it is so. */
async function until (t: Test, isSo: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < PATIENCE_TURNS; turn++) {
    if (isSo()) return
    // What a WeakRef was asked for stays until the turn of the event loop is over.
    await nextTurn()
    collect()
    await nextTurn()
  }
  t.fail(`not after ${PATIENCE_TURNS} collections: ${what}`)
}

async function nextTurn (): Promise<void> {
  await new Promise(resolve => { setImmediate(resolve) })
}

function guardOne (key: Buffer = randomBytes(32)): Buffer {
  return guard([key])[0] as Buffer
}

/** Where a key lies, without a reference to the key's own Buffer. */
function placeOf (guarded: Buffer): { memory: Buffer, at: number } {
  return { memory: Buffer.from(guarded.buffer), at: guarded.byteOffset }
}

function stub (t: Test, replacements: Partial<Sodium>): () => void {
  const real = { ...sodium }
  Object.assign(sodium, replacements)
  const restore = (): void => { Object.assign(sodium, real) }
  t.teardown(restore)
  return restore
}

t.test('keys are moved: the given bytes are wiped, and the returned memory contains them', async t => {
  const keys = [randomBytes(32), randomBytes(32), randomBytes(32)]
  const copies = keys.map(key => Buffer.from(key))
  t.strictSame(guard(keys), copies)
  t.ok(keys.every(key => key.equals(Buffer.alloc(32))))
  t.strictSame(guard([]), [])
})

t.test('equal keys share one place while one of them is used', async t => {
  const key = randomBytes(32)
  const [first, second, other] = guard([Buffer.from(key), Buffer.from(key), randomBytes(32)])
  t.equal(first, second)
  t.not(first, other)
  t.equal(guardOne(Buffer.from(key)), first)
})

t.test('the keys of one use and name are derived once', async t => {
  const keyring = new Keyring(fixedTerms([randomBytes(32)]))
  t.equal(keyring.tokenKeys('cookie', 'session'), keyring.tokenKeys('cookie', 'session'))
  t.not(keyring.tokenKeys('cookie', 'session'), keyring.tokenKeys('stamp', 'session'))
  t.not(keyring.tokenKeys('cookie', 'session'), keyring.tokenKeys('cookie', 'admin'))
})

t.test('8,000 sealers and 8,000 keyrings take few memory mappings', { skip: !hasMaps }, async t => {
  const before = mappings()
  const key = randomBytes(32)
  for (let index = 0; index < 8000; index++) createSealer({ key })
  for (let index = 0; index < 8000; index++) createSealer({ key: randomBytes(32) })
  const kept = Array.from({ length: 8000 }, (_, index) => new Keyring(fixedTerms([key])).tokenKeys('cookie', `session-${index}`))
  t.ok(mappings() - before < 4000, `${mappings() - before} more`)
  t.equal(kept.length, 8000)
})

t.test('a key is wiped when nothing refers to it any more, and its place is used again', async t => {
  const many = (): Buffer[] => guard(Array.from({ length: KEYS_PER_PIECE }, () => randomBytes(32)))
  const keep = many()
  const { memory, at } = placeOf(guardOne())
  // The other places of this memory are in use, and there is other memory with room.
  keep.push(...many())
  t.notOk(memory.subarray(at, at + 32).equals(Buffer.alloc(32)))
  await until(t, () => memory.subarray(at, at + 32).equals(Buffer.alloc(32)), 'wiped')
  await until(t, () => {
    const next = many()
    keep.push(...next)
    return next.some(({ buffer, byteOffset }) => buffer === memory.buffer && byteOffset === at)
  }, 'used again')
})

t.test('a key that is used again before its place was released is not lost', async t => {
  const key = randomBytes(32)
  guardOne(Buffer.from(key))
  await nextTurn()
  collect()
  // Its Buffer is gone by now, and its place is released in a later turn.
  const kept = guardOne(Buffer.from(key))
  for (let turn = 0; turn < 20; turn++) {
    collect()
    await nextTurn()
  }
  t.strictSame(kept, key)
  t.equal(guardOne(Buffer.from(key)), kept)
})

t.test('memory without a key is returned to the system', { skip: !hasMaps }, async t => {
  const fill = (): WeakRef<object> => {
    const many = guard(Array.from({ length: 50 * KEYS_PER_PIECE }, () => randomBytes(32)))
    return new WeakRef((many[many.length / 2] as Buffer).buffer)
  }
  const memory = fill()
  await until(t, () => memory.deref() === undefined, 'freed')
  t.pass()
})

t.test('if libsodium cannot protect a key, the error says what ran out, and nothing is wiped', async t => {
  const failure = new Error('failed to unlock buffer')
  for (const name of ['sodium_mprotect_readwrite', 'sodium_mprotect_readonly'] as const) {
    const key = randomBytes(32)
    const restore = stub(t, { [name]: () => { throw failure } })
    t.throws(() => guard([key]), { ...NO_MEMORY, message: /guarded memory.*vm\.max_map_count/, cause: failure }, name)
    restore()
    t.notOk(key.equals(Buffer.alloc(32)))
    const copy = Buffer.from(key)
    t.strictSame(guardOne(key), copy, 'and it can be tried again')
  }
})

t.test('a key that libsodium cannot protect is not left in memory that is not protected', async t => {
  const key = randomBytes(32)
  const written: Buffer[] = []
  stub(t, { sodium_mprotect_readonly: memory => { written.push(memory); throw new Error('no more') } })
  t.throws(() => guard([key]), NO_MEMORY)
  t.strictSame(written.map(memory => memory.includes(key)), [false])
})

t.test('a keyring whose keys cannot be replaced keeps its keys', async t => {
  const keyring = new Keyring(fixedTerms([randomBytes(32)]))
  const [tokenKeys, other] = [keyring.tokenKeys('cookie', 'session'), keyring.tokenKeys('stamp', 'session')]
  const before = [tokenKeys.sealing(0), other.sealing(0), keyring.version]
  for (let working = 0; working < 3; working++) {
    let calls = 0
    const protect = sodium.sodium_mprotect_readonly
    const restore = stub(t, { sodium_mprotect_readonly: memory => { if (calls++ === working) throw new Error('no more'); protect(memory) } })
    t.throws(() => { keyring.replace(fixedTerms([randomBytes(32)])) }, NO_MEMORY)
    restore()
    t.strictSame([tokenKeys.sealing(0), other.sealing(0), keyring.version], before)
  }
  keyring.replace(fixedTerms([randomBytes(32)]))
  t.not(tokenKeys.sealing(0), before[0])
})

t.test('a place that could not be wiped is not used again', async t => {
  const { memory, at } = placeOf(guardOne())
  let tried = 0
  const restore = stub(t, { sodium_mprotect_readwrite: () => { tried++; throw new Error('no more') } })
  await until(t, () => tried > 0, 'tried')
  restore()
  const next = guard(Array.from({ length: 3 * KEYS_PER_PIECE }, () => randomBytes(32)))
  t.notOk(next.some(({ buffer, byteOffset }) => buffer === memory.buffer && byteOffset === at))
})
