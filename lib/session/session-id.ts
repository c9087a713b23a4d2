import { randomize } from '../core/aead'
import { ID_BYTES } from '../core/format'

/** The id of a session: 128 random bits, drawn when they are first needed. */
export class SessionId {
  #bytes: Buffer | null
  #text: string | null = null

  /** @param bytes of an id that exists; null for a new one */
  constructor (bytes: Buffer | null = null) {
    this.#bytes = bytes
  }

  get bytes (): Buffer {
    this.#bytes ??= randomize(Buffer.allocUnsafe(ID_BYTES))
    return this.#bytes
  }

  /** 32 hex digits. */
  get text (): string {
    this.#text ??= this.bytes.toString('hex')
    return this.#text
  }
}
