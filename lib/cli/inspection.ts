import { isUtf8 } from 'node:buffer'
import { TIME_BYTES } from '../core/bytes'
import {
  EXTENSION_ABSOLUTE_LIMIT, EXTENSION_AUTHENTICATED_AT, EXTENSION_COOKIE_ATTRIBUTES, EXTENSION_IDLE_LIMIT, EXTENSION_MAX_AGE,
  EXTENSION_PERSISTENT, EXTENSION_SUBJECT, NOT_SPLIT
} from '../core/format'
import type { Stamp } from '../core/stamp'
import { isoTime } from '../keyring/document'
import type { Result } from './command'
import { moment, span } from './dates'
import { printable } from './printable'
import type { SealedSession } from './sealed-content'

/** What an opened cookie is told as. */

export interface Opened {
  readonly characters: number
  readonly key: { readonly id: string, readonly state: string | null, readonly about: string }
  readonly nowMs: number
}

type Rows = ReadonlyArray<readonly [title: string, text: string]>

export function tellStamp (stamp: Stamp, { characters, key, nowMs }: Opened): Result {
  const { renewedAtMs, checkedAtMs } = stamp
  const id = stamp.id.toString('hex')
  return {
    lines: aligned([
      ['cookie', 'a stamp, which renews a session; it holds no data'],
      ['key', key.about],
      ['session', id],
      ['renewed', moment(renewedAtMs, nowMs)],
      ['checked', checkedAtMs === 0 ? 'never: no store of revoked sessions was asked' : moment(checkedAtMs, nowMs)],
      ['size', `${characters} characters`]
    ]),
    json: {
      kind: 'stamp',
      key: { id: key.id, state: key.state },
      session: id,
      renewedAt: isoTime(renewedAtMs),
      checkedAt: checkedAtMs === 0 ? null : isoTime(checkedAtMs),
      sizes: { token: characters }
    }
  }
}

/** @param show whether to tell the values, too */
export function tellSession (session: SealedSession, { characters, key, nowMs }: Opened, show: boolean): Result {
  const id = session.id.toString('hex')
  const { parts, createdAtMs, renewedAtMs, extensions, values, sizes, padded, customSerializer, data } = session
  const keys = values === null ? null : Object.keys(values).length
  const told = [...extensions].map(extension => tellExtension(extension, nowMs))
  return {
    lines: [
      ...aligned([
        ['cookie', 'a session; it opens'],
        ['key', key.about],
        ['session', id],
        ['created', moment(createdAtMs, nowMs)],
        ['renewed', moment(renewedAtMs, nowMs)],
        ['size', `${characters} characters${parts === NOT_SPLIT ? '' : ` in ${parts} cookies`}, of ${sizes.plaintext} bytes: ${sizes.head} head, ${sizes.extensions} extensions, ${sizes.data} data, ${sizes.padding} padding`],
        ['flags', [padded ? 'padded' : '', customSerializer ? 'custom serializer' : ''].filter(flag => flag !== '').join(', ') || 'none'],
        ...told.map(({ text }) => ['extension', text] as const),
        ['data', `${sizes.data} bytes, ${keys === null ? 'written by the application\'s own serializer' : `${keys} ${keys === 1 ? 'key' : 'keys'}`}${show ? ':' : '; --show shows them'}`]
      ]),
      ...show ? [printable(values === null ? bytesAsText(data) : JSON.stringify(values, null, 2))] : []
    ],
    json: {
      kind: 'session',
      key: { id: key.id, state: key.state },
      session: id,
      createdAt: isoTime(createdAtMs),
      renewedAt: isoTime(renewedAtMs),
      padded,
      customSerializer,
      cookies: parts,
      sizes: { token: characters, ...sizes },
      extensions: told.map(({ json }) => json),
      keys,
      ...show ? { data: values ?? bytesAsJson(data) } : {}
    }
  }
}

function tellExtension ([type, value]: [number, Buffer], nowMs: number): { text: string, json: object } {
  switch (type) {
    case EXTENSION_IDLE_LIMIT: {
      const idleMs = value.readUIntBE(0, TIME_BYTES)
      return { text: `own idle limit: ${span(idleMs)}`, json: { type, name: 'idle limit', idleMs } }
    }
    case EXTENSION_ABSOLUTE_LIMIT: {
      const absoluteMs = value.readUIntBE(0, TIME_BYTES)
      return { text: `own absolute limit: ${span(absoluteMs)}`, json: { type, name: 'absolute limit', absoluteMs } }
    }
    case EXTENSION_MAX_AGE: {
      const maxAgeMs = value.readUIntBE(0, TIME_BYTES)
      return { text: `its cookie lives for ${span(maxAgeMs)} after each write`, json: { type, name: 'max-age', maxAgeMs } }
    }
    case EXTENSION_PERSISTENT: {
      const persistent = value[0] === 1
      return { text: `its cookie ${persistent ? 'outlives' : 'ends with'} the browser`, json: { type, name: 'persistent', persistent } }
    }
    case EXTENSION_COOKIE_ATTRIBUTES:
      return { text: `cookie attributes: ${printable(value.toString())}`, json: { type, name: 'cookie attributes', attributes: JSON.parse(value.toString()) } }
    case EXTENSION_SUBJECT: {
      const hash = value.length === 0 ? null : value.toString('base64url')
      return { text: hash === null ? 'nobody is logged in' : `subject, hashed: ${hash}`, json: { type, name: 'subject', hash } }
    }
    case EXTENSION_AUTHENTICATED_AT: {
      const atMs = value.readUIntBE(0, TIME_BYTES)
      return { text: `authenticated: ${moment(atMs, nowMs)}`, json: { type, name: 'authenticated at', authenticatedAt: isoTime(atMs) } }
    }
    default:
      return { text: `unknown type ${type}, ${value.length} bytes`, json: { type, name: null, bytes: value.length } }
  }
}

function aligned (rows: Rows): string[] {
  const width = Math.max(...rows.map(([title]) => title.length))
  return rows.map(([title, text]) => `${title.padEnd(width)}  ${text}`)
}

function bytesAsText (data: Buffer): string {
  return isUtf8(data) ? data.toString() : `base64: ${data.toString('base64')}`
}

function bytesAsJson (data: Buffer): object {
  return isUtf8(data) ? { text: data.toString() } : { base64: data.toString('base64') }
}
