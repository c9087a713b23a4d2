import type { KeyringStore } from '../../types/keyring'
import { parseKeyring, writeKeyring, type KeyRecord } from '../../lib/keyring/document'
import { keyOf, rotated } from '../../lib/keyring/lifecycle'

/** A store in memory, as a user could write one, that counts what it is asked and fails when it is told to. */
export class MemoryStore implements KeyringStore {
  readonly name = 'keyring in memory'
  text: string | null
  reads = 0
  updates = 0
  /** What a read does in place of answering. */
  insteadOfReading: (() => Promise<string | null>) | null = null
  insteadOfWriting: (() => Promise<boolean>) | null = null

  constructor (keys: readonly KeyRecord[] | null) {
    this.text = keys === null ? null : writeKeyring(keys)
  }

  get keys (): KeyRecord[] { return parseKeyring(this.text as string) }
  set keys (keys: readonly KeyRecord[]) { this.text = writeKeyring(keys) }

  async read (): Promise<string | null> {
    this.reads++
    return this.insteadOfReading === null ? this.text : await this.insteadOfReading()
  }

  async update (expected: string | null, next: string): Promise<boolean> {
    this.updates++
    if (this.insteadOfWriting !== null) return await this.insteadOfWriting()
    if (this.text !== expected) return false
    this.text = next
    return true
  }
}

/** The key whose bytes are all the same. */
export function keyNumber (number: number, nowMs: number, activateInMs = 0): KeyRecord {
  return keyOf(Buffer.alloc(32, number), nowMs, activateInMs)
}

/** Adds a key that seals at once, or later. */
export function rotate (store: MemoryStore, nowMs: number, activateInMs = 0): void {
  store.keys = rotated(store.keys, nowMs, { activateInMs, keepForMs: 90 * 86_400_000 })
}

/** The key id that a token names. */
export function keyIdOf (token: string): string {
  return Buffer.from(token.slice(0, 8), 'base64url').toString('hex', 2)
}
