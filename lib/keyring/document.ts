import { KEY_BYTES } from '../core/aead'
import { decodeBase64url } from '../core/bytes'
import { KEY_ID_BYTES } from '../core/format'
import { isObject, type Input } from '../checks'
import { InvalidKeyringError } from '../errors'
import { keyIdText } from './key-id'
import type { KeyDates } from './schedule'

/** A keyring as text: JSON, with times in ISO 8601 and keys in base64url. */

export interface KeyRecord extends KeyDates {
  /** 32 bytes. */
  readonly material: Buffer
}

const VERSION = 1
/** Limited, because servers keep every key in locked memory. */
const MOST_CHARACTERS = 1024 ** 2
const NAMES = ['id', 'key', 'createdAt', 'activatesAt', 'expiresAt', 'revokedAt']
const DATE_CHARACTERS = '2026-01-31'.length
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/

/**
 * The keys in the text of a keyring. Strict: a typing error in `revokedAt` must not be ignored.
 * @param name the name of the keyring in the message
 * @throws FST_SESSION_INVALID_KEYRING with the position of the error, without the value that was found there
 */
export function parseKeyring (text: string, name = 'the keyring'): KeyRecord[] {
  try {
    return readRecords(text)
  } catch (error) {
    throw new InvalidKeyringError(`${name} is invalid: ${(error as Error).message}`)
  }
}

function readRecords (text: string): KeyRecord[] {
  if (text.length > MOST_CHARACTERS) {
    throw new Error(`it is longer than ${MOST_CHARACTERS} characters, some 4000 keys: prune it, or rotate less often`)
  }
  const document = asObject(parseJson(text), 'the text')
  refuseUnknown(document, ['version', 'keys'], 'the keyring')
  if (document['version'] !== VERSION) {
    throw new Error(`its "version" is not ${VERSION}, the only one that this release of fastify-sealed-session reads`)
  }
  const { keys } = document
  if (!Array.isArray(keys)) throw new Error('its "keys" must be an array')
  const records = keys.map(readRecord)
  const seen = new Set<string>()
  for (const { id } of records) {
    if (seen.has(id)) throw new Error(`two of its keys have the id ${id}`)
    seen.add(id)
  }
  if (records.every(({ revokedAtMs }) => revokedAtMs !== null)) {
    throw new Error('all of its keys are revoked, so no session could be sealed')
  }
  return records
}

/** The text of a keyring, with a newline at the end. */
export function writeKeyring (keys: readonly KeyRecord[]): string {
  const document = {
    version: VERSION,
    keys: keys.map(({ id, material, createdAtMs, activatesAtMs, expiresAtMs, revokedAtMs }) => ({
      id,
      key: material.toString('base64url'),
      createdAt: isoTime(createdAtMs),
      activatesAt: isoTime(activatesAtMs),
      expiresAt: isoTime(expiresAtMs),
      revokedAt: isoTime(revokedAtMs)
    }))
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

export function isoTime (ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

function readRecord (value: unknown, index: number): KeyRecord {
  const where = `keys[${index}]`
  const record = asObject(value, where)
  refuseUnknown(record, NAMES, where)
  const { id, key } = record
  const material = Buffer.alloc(KEY_BYTES)
  if (typeof key !== 'string' || decodeBase64url(key, material) !== KEY_BYTES) {
    throw new Error(`${where}.key must be ${KEY_BYTES} bytes in base64url`)
  }
  if (id !== keyIdText(material)) {
    const wanted = `the ${2 * KEY_ID_BYTES} hex digits that name its key`
    throw new Error(`${where}.id must be ${wanted}: one of the two was altered`)
  }
  return {
    id,
    material,
    createdAtMs: readTime(record, 'createdAt', where),
    activatesAtMs: readTime(record, 'activatesAt', where),
    expiresAtMs: readTimeOrNull(record, 'expiresAt', where),
    revokedAtMs: readTimeOrNull(record, 'revokedAt', where)
  }
}

/** The message of JSON.parse is not used: it would quote the text. */
function parseJson (text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    throw new Error(`it is not JSON, or only a part of it (${text.length} characters)`)
  }
}

function asObject (value: unknown, where: string): Input {
  if (!isObject(value)) throw new Error(`${where} must be an object`)
  return value
}

function refuseUnknown (object: Input, known: readonly string[], where: string): void {
  const isKnown = Object.keys(object).every(name => known.includes(name))
  if (!isKnown) throw new Error(`${where} has a name that is not one of ${known.join(', ')}`)
}

function readTimeOrNull (record: Input, name: string, where: string): number | null {
  return record[name] === undefined || record[name] === null ? null : readTime(record, name, where)
}

function readTime (record: Input, name: string, where: string): number {
  const value = record[name]
  const ms = typeof value === 'string' && TIME.test(value) ? Date.parse(value) : NaN
  // Date.parse reads February 31 as March 3.
  if (Number.isNaN(ms) || isoTime(ms)?.slice(0, DATE_CHARACTERS) !== (value as string).slice(0, DATE_CHARACTERS)) {
    throw new Error(`${where}.${name} must be a time such as "2026-01-31T12:00:00.000Z"`)
  }
  return ms
}
