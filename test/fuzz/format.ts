import { TextDecoder } from 'node:util'
import { sodium } from '../../lib/core/sodium'

/** A writer and a reader of sealed cookies, made from docs/format.md alone: what the library is compared with. */

const LABEL = 'fastify-sealed-session\0v1\0'
const SKEW_MS = 60_000
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const TIMES = [1, 2, 6, 128]

export type Use = 'cookie' | 'stamp'

export interface Reader {
  readonly keys: readonly Buffer[]
  readonly cookieName: string
  /** Null for a look at what is sealed, whatever its times. */
  readonly nowMs: number | null
  readonly idleMs: number
  readonly absoluteMs: number
  /** What a custom serializer wrote is refused, read as JSON, or taken for an empty object. */
  readonly customData: 'refused' | 'json' | 'unread'
}

export interface ReadSession {
  readonly json: Record<string, unknown>
  readonly id: string
  readonly createdAtMs: number
  /** As it is in the plaintext. */
  readonly renewedAtMs: number
  /** With the stamps that count. */
  readonly lastRenewedAtMs: number
  readonly idleMs: number
}

/** The renewed-at of the stamps that count. */
export type Stamped = (id: string) => number

/** Thrown inside of this file, caught where a reader answers. */
class Refused extends Error {}

export function hash (key: Buffer, input: string): Buffer {
  const output = Buffer.alloc(32)
  sodium.crypto_generichash(output, Buffer.from(input), key)
  return output
}

export function keyIdOf (key: Buffer): Buffer {
  return hash(key, `${LABEL}key-id`).subarray(0, 4)
}

function tokenKey (key: Buffer, use: Use, cookieName: string): Buffer {
  return hash(key, `${LABEL}${use}\0${cookieName}`)
}

/** A token, whatever is in it. */
export function sealed (
  plaintext: Buffer, { key, use = 'cookie', cookieName = 'session', nonce, version = 1, parts = 1 }: {
    key: Buffer, use?: Use, cookieName?: string, nonce: Buffer, version?: number, parts?: number
  }
): string {
  const head = Buffer.concat([Buffer.of(version, parts), keyIdOf(key)])
  const ciphertext = Buffer.alloc(plaintext.length + 16)
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
    ciphertext, plaintext, head, null, nonce, tokenKey(key, use, cookieName))
  return Buffer.concat([head, nonce, ciphertext]).toString('base64url')
}

/** The reason why a text does not open as a session, or what is in it. */
export function read (text: string, reader: Reader, stamped: Stamped = () => 0): ReadSession | string {
  try {
    const plaintext = openToken(text, 'cookie', reader.cookieName, reader)
    return readSession(plaintext, reader, stamped)
  } catch (error) {
    if (error instanceof Refused) return error.message
    throw error
  }
}

export interface ReadHeader {
  /** The one that counts first. */
  readonly opened: readonly ReadSession[]
  /** The reasons, in the order of what was refused. */
  readonly refused: readonly string[]
}

/** The sessions in a Cookie header. */
export function readHeader (header: string, reader: Reader): ReadHeader {
  const opened: ReadSession[] = []
  const refused: string[] = []
  const stamped = stampsIn(header, reader)
  for (const candidate of candidates(header, reader.cookieName)) {
    const result = candidate === null ? 'malformed' : read(candidate, reader, stamped)
    if (typeof result === 'string') refused.push(result)
    else opened.push(result)
  }
  opened.sort((a, b) => b.renewedAtMs - a.renewedAtMs || b.createdAtMs - a.createdAtMs)
  return { opened, refused }
}

/** The values of a cookie in the order of the header, without a bound. */
export function valuesOf (header: string, name: string): string[] {
  return header.split(';')
    .map(piece => piece.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter(piece => piece.startsWith(`${name}=`))
    .map(piece => piece.slice(name.length + 1).replace(/^[ \t]+|[ \t]+$/g, ''))
}

/** Null for a value that is refused. */
function candidates (header: string, name: string): Array<string | null> {
  const values = (behind: string): string[] => valuesOf(header, name + behind).slice(0, 4)
  const [firsts, seconds, thirds] = [values(''), values('.1'), values('.2')]
  return firsts.flatMap(first => {
    const parts = first.length < 1024 ? 1 : partsSaid(first)
    if (parts === 1) return [first.length <= 4092 - name.length ? first : null]
    const last = (value: string): boolean => value.length > first.length - parts && value.length <= first.length
    const joined = first.length > 4090 - name.length
      ? []
      : parts === 2
        ? seconds.filter(last).map(second => first + second)
        : seconds.filter(({ length }) => length === first.length)
          .flatMap(second => thirds.filter(last).map(third => first + second + third))
    return joined.length > 0 ? joined : [null]
  }).slice(0, 16)
}

/** 2 or 3 where the first part of a token that is cut says so, else 1. */
function partsSaid (text: string): number {
  if (!/^[\w-]{3}/.test(text)) return 1
  const [version, parts] = Buffer.from(text.slice(0, 3), 'base64url')
  return version === 1 && (parts === 2 || parts === 3) ? parts : 1
}

function stampsIn (header: string, reader: Reader): Stamped {
  const name = `${reader.cookieName}.t`
  const stamps = valuesOf(header, name).slice(0, 4).flatMap(text => {
    try {
      const plaintext = openToken(text, 'stamp', name, reader)
      if (plaintext.length !== 28) return []
      const [renewedAtMs, checkedAtMs] = [plaintext.readUIntBE(16, 6), plaintext.readUIntBE(22, 6)]
      return [{ id: plaintext.toString('hex', 0, 16), renewedAtMs, checkedAtMs }]
    } catch {
      return []
    }
  })
  const latestMs = (reader.nowMs ?? Infinity) + SKEW_MS
  const counting = stamps.filter(({ renewedAtMs, checkedAtMs }) => Math.max(renewedAtMs, checkedAtMs) <= latestMs)
  return id => Math.max(0, ...counting.filter(stamp => stamp.id === id).map(({ renewedAtMs }) => renewedAtMs))
}

function openToken (text: string, use: Use, cookieName: string, { keys }: Reader): Buffer {
  if (text.length > 3 * (4090 - cookieName.length)) throw new Refused('malformed')
  const bytes = Buffer.from(text, 'base64url')
  if (text === '' || bytes.toString('base64url') !== text) throw new Refused('malformed')
  if (bytes[0] !== 1) throw new Refused('unknown-version')
  if (bytes.length < 46 || !isLengthOf(bytes[1] as number, text.length, cookieName)) throw new Refused('malformed')
  const key = keys.find(key => keyIdOf(key).equals(bytes.subarray(2, 6)))
  if (key === undefined) throw new Refused('unknown-key')
  const plaintext = Buffer.alloc(bytes.length - 46)
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
      plaintext, null, bytes.subarray(30), bytes.subarray(0, 6), bytes.subarray(6, 30), tokenKey(key, use, cookieName))
  } catch {
    throw new Refused('forged')
  }
  return plaintext
}

function isLengthOf (parts: number, characters: number, cookieName: string): boolean {
  if (parts === 1) return characters <= 4092 - cookieName.length
  const each = Math.ceil(characters / parts)
  return (parts === 2 || parts === 3) && each >= 1024 && each <= 4090 - cookieName.length
}

function readSession (plaintext: Buffer, reader: Reader, stamped: Stamped): ReadSession {
  if (plaintext.length < 31) throw new Refused('malformed')
  const flags = plaintext[0] as number
  if (flags > 3) throw new Refused('unsupported')
  const content = (flags & 1) === 1 ? plaintext.subarray(0, paddingIn(plaintext)) : plaintext
  const dataAt = 31 + plaintext.readUInt16BE(29)
  if (dataAt > content.length) throw new Refused('malformed')
  const extensions = readExtensions(content.subarray(31, dataAt))
  const isCustom = (flags & 2) === 2
  if (isCustom && reader.customData === 'refused') throw new Refused('unsupported')
  if (![...extensions].every(isGood)) throw new Refused('malformed')

  const id = plaintext.toString('hex', 1, 17)
  const [createdAtMs, renewedAtMs] = [plaintext.readUIntBE(17, 6), plaintext.readUIntBE(23, 6)]
  const authenticatedAtMs = extensions.get(6)?.readUIntBE(0, 6) ?? createdAtMs
  const lastRenewedAtMs = Math.max(renewedAtMs, stamped(id))
  const idleMs = extensions.get(1)?.readUIntBE(0, 6) ?? reader.idleMs
  const otherwiseMs = extensions.has(1) ? Math.max(idleMs, reader.absoluteMs) : reader.absoluteMs
  const absoluteMs = extensions.get(128)?.readUIntBE(0, 6) ?? otherwiseMs
  refuseByTime({ createdAtMs, authenticatedAtMs, lastRenewedAtMs }, reader.nowMs, idleMs, absoluteMs)
  const json = isCustom && reader.customData === 'unread' ? {} : jsonObject(content.subarray(dataAt))
  if (json === null) throw new Refused('malformed')
  // Of the cookies beside a session it knows the stamps alone.
  if (extensions.has(129) && reader.nowMs !== null) throw new Refused('unsupported')
  return { json, id, createdAtMs, renewedAtMs, lastRenewedAtMs, idleMs }
}

interface Times {
  readonly createdAtMs: number
  readonly authenticatedAtMs: number
  readonly lastRenewedAtMs: number
}

function refuseByTime (times: Times, nowMs: number | null, idleMs: number, absoluteMs: number): void {
  const { createdAtMs, authenticatedAtMs, lastRenewedAtMs } = times
  if (nowMs === null) return
  if (Math.max(createdAtMs, authenticatedAtMs, lastRenewedAtMs) - nowMs > SKEW_MS) throw new Refused('from-the-future')
  if (nowMs - authenticatedAtMs >= absoluteMs || nowMs - lastRenewedAtMs >= idleMs) throw new Refused('expired')
}

function paddingIn (plaintext: Buffer): number {
  let end = plaintext.length - 1
  while (end >= 31 && plaintext[end] === 0) end--
  if (end < 31 || plaintext[end] !== 0x80) throw new Refused('malformed')
  return end
}

function readExtensions (bytes: Buffer): Map<number, Buffer> {
  const extensions = new Map<number, Buffer>()
  let rest = bytes
  while (rest.length > 0) {
    const end = rest.length < 3 ? Infinity : 3 + rest.readUInt16BE(1)
    const type = rest[0] as number
    if (end > rest.length || extensions.has(type)) throw new Refused('malformed')
    if (type > 129) throw new Refused('unsupported')
    extensions.set(type, rest.subarray(3, end))
    rest = rest.subarray(end)
  }
  return extensions
}

function isGood ([type, value]: [number, Buffer]): boolean {
  if (TIMES.includes(type)) return value.length === 6
  if (type === 3) return value.length === 1 && (value[0] === 0 || value[0] === 1)
  if (type === 4) return jsonObject(value) !== null
  if (type === 129) return value.length === 16
  return type !== 5 || value.length === 0 || value.length === 16
}

function jsonObject (bytes: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(UTF8.decode(bytes))
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? value as Record<string, unknown> : null
  } catch {
    return null
  }
}
