import { GuardedMemoryError } from '../errors'
import { sodium } from './sodium'

export const KEY_BYTES = 32

/**
 * One allocation of guarded memory takes four memory mappings and locks one page of 4 KB. This many keys and
 * libsodium's canary of 16 bytes fill the page.
 */
const KEYS_PER_PIECE = 127
/**
 * 8,192 mappings: an eighth of the limit of Linux for a process (vm.max_map_count is 65,530). At the limit,
 * sodium-native aborts the process.
 */
const MOST_PIECES = 2048

interface Piece {
  readonly memory: Buffer
  /** Offsets that hold no key. */
  readonly free: number[]
}

/** The position of a key. */
interface Slot {
  readonly piece: Piece
  readonly at: number
  readonly name: string
}

/** Pieces with free offsets. */
const pieces = new Set<Piece>()
let pieceCount = 0

/** Guarded keys, by a hash under a random key of this process: equal keys share one slot. */
const guardedKeys = new Map<string, WeakRef<Buffer>>()
const hashKey = Buffer.alloc(KEY_BYTES)
sodium.randombytes_buf(hashKey)

const slots = new FinalizationRegistry<Slot>(release)

/**
 * Moves keys of KEY_BYTES into guarded memory of libsodium (not swapped, between guard pages, read-only), and wipes the
 * originals: https://doc.libsodium.org/memory_management
 * When a returned Buffer is garbage collected, its key is wiped.
 * @throws FST_SESSION_NO_GUARDED_MEMORY; the originals are then not wiped
 */
export function guard (keys: readonly Buffer[]): Buffer[] {
  const guarded = keys.map(guardOne)
  for (const key of keys) key.fill(0)
  return guarded
}

function guardOne (key: Buffer): Buffer {
  const name = nameOf(key)
  const existing = guardedKeys.get(name)?.deref()
  if (existing !== undefined) return existing
  const piece = pieceWithRoom()
  const at = piece.free.at(-1) as number
  write(piece, key, at)
  piece.free.pop()
  if (piece.free.length === 0) pieces.delete(piece)
  const guarded = piece.memory.subarray(at, at + KEY_BYTES)
  slots.register(guarded, { piece, at, name })
  guardedKeys.set(name, new WeakRef(guarded))
  return guarded
}

function nameOf (key: Buffer): string {
  const hash = Buffer.alloc(KEY_BYTES)
  sodium.crypto_generichash(hash, key, hashKey)
  return hash.toString('base64')
}

function pieceWithRoom (): Piece {
  const [existing] = pieces
  if (existing !== undefined) return existing
  if (pieceCount >= MOST_PIECES) {
    throw new GuardedMemoryError(`this process keeps ${pieceCount * KEYS_PER_PIECE} keys already`)
  }
  const memory = orOutOfMappings(() => sodium.sodium_malloc(KEYS_PER_PIECE * KEY_BYTES))
  const piece: Piece = { memory, free: Array.from({ length: KEYS_PER_PIECE }, (_, index) => index * KEY_BYTES) }
  pieces.add(piece)
  pieceCount++
  return piece
}

function write ({ memory }: Piece, key: Buffer, at: number): void {
  orOutOfMappings(() => { sodium.sodium_mprotect_readwrite(memory) })
  key.copy(memory, at)
  try {
    orOutOfMappings(() => { sodium.sodium_mprotect_readonly(memory) })
  } catch (error) {
    memory.fill(0, at, at + KEY_BYTES)
    throw error
  }
}

function orOutOfMappings<T> (work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new GuardedMemoryError(
      'libsodium could not protect it. On Linux a process that has vm.max_map_count memory mappings gets no more',
      { cause })
  }
}

/** Wipes the slot of a key that was garbage collected. Does not throw: the garbage collector calls it. */
function release ({ piece, at, name }: Slot): void {
  if (guardedKeys.get(name)?.deref() === undefined) guardedKeys.delete(name)
  try {
    write(piece, NO_KEY, at)
  } catch {
    // The key could not be wiped, so the slot is not used again.
    return
  }
  piece.free.push(at)
  pieces.add(piece)
  if (piece.free.length < KEYS_PER_PIECE || pieces.size === 1) return
  // libsodium frees the memory when its Buffer is garbage collected.
  pieces.delete(piece)
  pieceCount--
}

const NO_KEY = Buffer.alloc(KEY_BYTES)
