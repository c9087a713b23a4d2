import { GuardedMemoryError } from '../errors'
import { sodium } from './sodium'

export const KEY_BYTES = 32

/**
 * One allocation of guarded memory takes four memory mappings and locks one page of 4 KB. This many keys and
 * libsodium's canary of 16 bytes fill the page.
 */
const KEYS_PER_PAGE = 127
/**
 * 8,192 mappings: an eighth of the limit of Linux for a process (vm.max_map_count is 65,530). At the limit,
 * sodium-native aborts the process.
 */
const MOST_PAGES = 2048

/** One allocation. */
interface Page {
  readonly memory: Buffer
  /** Offsets that hold no key. */
  readonly free: number[]
}

/** The position of a key. */
interface Slot {
  readonly page: Page
  readonly offset: number
  readonly name: string
}

/** Pages with free offsets. */
const pages = new Set<Page>()
let pageCount = 0

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
  const page = pageWithRoom()
  const offset = page.free.at(-1) as number
  write(page, key, offset)
  page.free.pop()
  if (page.free.length === 0) pages.delete(page)
  const guarded = page.memory.subarray(offset, offset + KEY_BYTES)
  slots.register(guarded, { page, offset, name })
  guardedKeys.set(name, new WeakRef(guarded))
  return guarded
}

function nameOf (key: Buffer): string {
  const hash = Buffer.alloc(KEY_BYTES)
  sodium.crypto_generichash(hash, key, hashKey)
  return hash.toString('base64')
}

function pageWithRoom (): Page {
  const [existing] = pages
  if (existing !== undefined) return existing
  if (pageCount >= MOST_PAGES) {
    throw new GuardedMemoryError(`this process keeps ${pageCount * KEYS_PER_PAGE} keys already`)
  }
  const memory = orOutOfMappings(() => sodium.sodium_malloc(KEYS_PER_PAGE * KEY_BYTES))
  const page: Page = { memory, free: Array.from({ length: KEYS_PER_PAGE }, (_, index) => index * KEY_BYTES) }
  pages.add(page)
  pageCount++
  return page
}

function write ({ memory }: Page, key: Buffer, offset: number): void {
  orOutOfMappings(() => { sodium.sodium_mprotect_readwrite(memory) })
  key.copy(memory, offset)
  try {
    orOutOfMappings(() => { sodium.sodium_mprotect_readonly(memory) })
  } catch (error) {
    memory.fill(0, offset, offset + KEY_BYTES)
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
function release ({ page, offset, name }: Slot): void {
  if (guardedKeys.get(name)?.deref() === undefined) guardedKeys.delete(name)
  try {
    write(page, NO_KEY, offset)
  } catch {
    // The key could not be wiped, so the slot is not used again.
    return
  }
  page.free.push(offset)
  pages.add(page)
  if (page.free.length < KEYS_PER_PAGE || pages.size === 1) return
  // libsodium frees the memory when its Buffer is garbage collected.
  pages.delete(page)
  pageCount--
}

const NO_KEY = Buffer.alloc(KEY_BYTES)
