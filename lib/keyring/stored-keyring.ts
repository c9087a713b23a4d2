import type { KeyringStore } from '../../types/keyring'
import { KeyringUnavailableError } from '../errors'
import { pause } from '../timers'
import { parseKeyring, writeKeyring, type KeyRecord } from './document'

/** Many more than there are writers at any time; each time somebody else's write went through, so all of them get on. */
const MOST_ATTEMPTS = 100
const LONGEST_PAUSE_MS = 20

/**
 * Changes a stored ring, over and over until nobody else came between. Resolves to the ring as written, or to null where
 * `change` gave null: nothing to do. Throws FST_SESSION_KEYRING_UNAVAILABLE, FST_SESSION_INVALID_KEYRING; the store then
 * holds what it held.
 */
export async function changeKeyring (store: KeyringStore, change: (keys: KeyRecord[]) => KeyRecord[] | null): Promise<KeyRecord[] | null> {
  let written: { keys: KeyRecord[], text: string } | null = null
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const text = await readKeyring(store)
    // A client that lost its connection repeats the command, whose first run went through.
    if (text === written?.text) return written.keys
    const keys = change(parseKeyring(text, nameOf(store)))
    if (keys === null) return null
    const next = writeKeyring(keys)
    // What could not be read again must not be written: a date may have run past what its text can hold.
    parseKeyring(next, nameOf(store))
    written = { keys, text: next }
    if (await explained(`${nameOf(store)} cannot be written`, async () => await store.update(text, next))) return keys
    await pause(Math.random() * LONGEST_PAUSE_MS)
  }
  throw new KeyringUnavailableError(`${nameOf(store)} was changed by another writer at each of ${MOST_ATTEMPTS} attempts to change it`)
}

/** Throws FST_SESSION_KEYRING_UNAVAILABLE where there is none. */
export async function readKeyring (store: KeyringStore): Promise<string> {
  const text = await explained(`${nameOf(store)} cannot be read`, async () => await store.read())
  if (text === null) throw new KeyringUnavailableError(`${nameOf(store)} does not exist: make it with "npx fastify-sealed-session init"`)
  if (typeof text !== 'string') throw new KeyringUnavailableError(`${nameOf(store)} returned no text: KeyringStore.read() must resolve to a string or null`)
  return text
}

/** What a store of the user's rejects with may hold anything, so only its message is passed on. */
async function explained<T> (what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof KeyringUnavailableError) throw error
    throw new KeyringUnavailableError(`${what}: ${error instanceof Error ? error.message : 'no reason given'}`)
  }
}

export function nameOf ({ name }: KeyringStore): string {
  return name ?? 'the keyring store'
}
