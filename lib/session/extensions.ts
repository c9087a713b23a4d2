import { TIME_BYTES } from '../core/bytes'
import type { Extensions } from '../core/envelope'
import {
  EXTENSION_ABSOLUTE_LIMIT, EXTENSION_AUTHENTICATED_AT, EXTENSION_COOKIE_ATTRIBUTES, EXTENSION_IDLE_LIMIT,
  EXTENSION_MARK, EXTENSION_MAX_AGE, EXTENSION_PERSISTENT, EXTENSION_SUBJECT, MARK_BYTES, SUBJECT_BYTES
} from '../core/format'
import { jsonCodec, type SessionRecord } from './codec'
import { NO_SETTINGS, type OwnSettings } from './settings'

/** What the extensions of an envelope say of a session. */
export interface Extended {
  readonly settings: OwnSettings
  /** The subject when it was sealed, hashed; empty for anonymous, null where the writer did not say. */
  readonly subject: Buffer | null
  /** Undefined: when the session was created. */
  readonly authenticatedAtMs: number | undefined
  /** The session counts only together with a pass or a proof of this mark. Null: it has none. */
  readonly mark: Buffer | null
}

const NOTHING: Extended = { settings: NO_SETTINGS, subject: null, authenticatedAtMs: undefined, mark: null }
const YES = 1
const NO = 0

/** Null where an extension is malformed. */
export function readExtended (extensions: Extensions): Extended | null {
  if (extensions.size === 0) return NOTHING
  const idle = extensions.get(EXTENSION_IDLE_LIMIT)
  const absolute = extensions.get(EXTENSION_ABSOLUTE_LIMIT)
  const maxAge = extensions.get(EXTENSION_MAX_AGE)
  const persistent = extensions.get(EXTENSION_PERSISTENT)
  const attributes = extensions.get(EXTENSION_COOKIE_ATTRIBUTES)
  const subject = extensions.get(EXTENSION_SUBJECT) ?? null
  const authenticatedAt = extensions.get(EXTENSION_AUTHENTICATED_AT)
  const mark = extensions.get(EXTENSION_MARK) ?? null
  const areTimes = [idle, absolute, maxAge, authenticatedAt].every(isTime)
  if (!areTimes || !isFlag(persistent) || !isSubject(subject) || !isMark(mark)) return null
  const ownAttributes = attributes === undefined ? null : recordIn(attributes)
  if (attributes !== undefined && ownAttributes === null) return null
  return {
    settings: {
      idleMs: timeIn(idle),
      absoluteMs: timeIn(absolute),
      maxAgeMs: timeIn(maxAge),
      persistent: persistent === undefined ? null : persistent[0] === YES,
      attributes: ownAttributes
    },
    subject,
    authenticatedAtMs: timeIn(authenticatedAt) ?? undefined,
    mark
  }
}

/** The extensions with this in them. Those of unknown types stay. */
export function writeExtended (
  { settings, subject, authenticatedAtMs, mark }: Extended, extensions: Extensions
): Extensions {
  const isPlain = settings === NO_SETTINGS && subject === null && authenticatedAtMs === undefined && mark === null
  if (isPlain && extensions.size === 0) return extensions
  const { idleMs, absoluteMs, maxAgeMs, persistent, attributes } = settings
  const written = new Map(extensions)
  const put = (type: number, value: Buffer | null): void => {
    if (value === null) written.delete(type)
    else written.set(type, value)
  }
  const putTime = (type: number, ms: number | null): void => { put(type, ms === null ? null : time(ms)) }
  putTime(EXTENSION_IDLE_LIMIT, idleMs)
  putTime(EXTENSION_ABSOLUTE_LIMIT, absoluteMs)
  putTime(EXTENSION_MAX_AGE, maxAgeMs)
  put(EXTENSION_PERSISTENT, persistent === null ? null : Buffer.of(persistent ? YES : NO))
  put(EXTENSION_COOKIE_ATTRIBUTES, attributes === null ? null : Buffer.from(JSON.stringify(attributes)))
  put(EXTENSION_SUBJECT, subject)
  putTime(EXTENSION_AUTHENTICATED_AT, authenticatedAtMs ?? null)
  put(EXTENSION_MARK, mark)
  return written
}

function recordIn (json: Buffer): SessionRecord | null {
  const text = jsonCodec.read(json)
  return text === null ? null : jsonCodec.parse(text)
}

function isTime (value: Buffer | undefined): boolean {
  return value === undefined || value.length === TIME_BYTES
}

function isFlag (value: Buffer | undefined): boolean {
  return value === undefined || (value.length === 1 && (value[0] === YES || value[0] === NO))
}

function isSubject (value: Buffer | null): boolean {
  return value === null || value.length === 0 || value.length === SUBJECT_BYTES
}

function isMark (value: Buffer | null): boolean {
  return value === null || value.length === MARK_BYTES
}

function timeIn (value: Buffer | undefined): number | null {
  return value === undefined ? null : value.readUIntBE(0, TIME_BYTES)
}

function time (ms: number): Buffer {
  const value = Buffer.alloc(TIME_BYTES)
  value.writeUIntBE(ms, 0, TIME_BYTES)
  return value
}
