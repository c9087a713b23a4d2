import type { KeyringStore } from '../../types/keyring'
import { KeyringUnavailableError } from '../errors'
import { reasonOf } from '../store-failure'
import { pause } from '../timers'
import { parseKeyring, writeKeyring, type KeyRecord } from './document'

/** Many more than there are concurrent writers. Each failed attempt means that another writer succeeded. */
const MOST_ATTEMPTS = 100
const LONGEST_PAUSE_MS = 20

/**
 * Changes a stored keyring. Repeats the change if another writer changed the keyring in between.
 * @param change returns the new keys; null if there is nothing to change
 * @returns the keys that were written; null if `change` returned null
 * @throws FST_SESSION_KEYRING_UNAVAILABLE, FST_SESSION_INVALID_KEYRING; the store is then unchanged
 */
export async function changeKeyring (
  store: KeyringStore, change: (keys: KeyRecord[]) => KeyRecord[] | null
): Promise<KeyRecord[] | null> {
  let written: { keys: KeyRecord[], text: string } | null = null
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const text = await readKeyring(store)
    // A client that lost its connection repeats the command, although the first one was executed.
    if (text === written?.text) return written.keys
    const keys = change(parseKeyring(text, nameOf(store)))
    if (keys === null) return null
    const next = writeKeyring(keys)
    // A text that cannot be parsed must not be written: a date may be later than the format allows.
    parseKeyring(next, nameOf(store))
    written = { keys, text: next }
    if (await withReason(`${nameOf(store)} cannot be written`, async () => await store.update(text, next))) return keys
    await pause(Math.random() * LONGEST_PAUSE_MS)
  }
  throw new KeyringUnavailableError(
    `${nameOf(store)} was changed by another writer at each of ${MOST_ATTEMPTS} attempts to change it`)
}

/** The text of a stored keyring. Throws FST_SESSION_KEYRING_UNAVAILABLE if there is none. */
export async function readKeyring (store: KeyringStore): Promise<string> {
  const text = await withReason(`${nameOf(store)} cannot be read`, async () => await store.read())
  if (text === null) {
    throw new KeyringUnavailableError(
      `${nameOf(store)} does not exist: make it with "npx fastify-sealed-session init"`)
  }
  if (typeof text !== 'string') {
    throw new KeyringUnavailableError(
      `${nameOf(store)} returned no text: KeyringStore.read() must resolve to a string or null`)
  }
  return text
}

/**
 * The result of `work`. Only the text of an error is passed on: the error may contain keys.
 * @throws FST_SESSION_KEYRING_UNAVAILABLE
 */
export async function withReason<T> (what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof KeyringUnavailableError) throw error
    throw new KeyringUnavailableError(`${what}: ${reasonOf(error)}`)
  }
}

export function nameOf ({ name }: KeyringStore): string {
  return name ?? 'the keyring store'
}
