import { TIME_BYTES } from '../core/bytes'
import type { Extensions } from '../core/envelope'
import { EXTENSION_COOKIE_ATTRIBUTES, EXTENSION_IDLE_LIMIT } from '../core/format'
import { jsonCodec } from './codec'

/** What `session.options()` gave one session, sealed with it so that it lasts. */
export interface OwnSettings {
  readonly idleMs: number | null
  /** Cookie attributes that differ from the configured ones; the session does not look inside. */
  readonly attributes: Readonly<Record<string, unknown>> | null
}

export const NO_SETTINGS: OwnSettings = Object.freeze({ idleMs: null, attributes: null })

/** The settings in the extensions; null where an extension does not hold what it must. */
export function readSettings (extensions: Extensions): OwnSettings | null {
  if (extensions.size === 0) return NO_SETTINGS
  const idle = extensions.get(EXTENSION_IDLE_LIMIT)
  const attributes = extensions.get(EXTENSION_COOKIE_ATTRIBUTES)
  if (idle !== undefined && idle.length !== TIME_BYTES) return null
  const decoded = attributes === undefined ? undefined : jsonCodec.decode(attributes, 0, attributes.length)
  if (decoded === null) return null
  return { idleMs: idle?.readUIntBE(0, TIME_BYTES) ?? null, attributes: decoded?.data ?? null }
}

/** The extensions with these settings in them; all others stay as they were. */
export function writeSettings (settings: OwnSettings, extensions: Extensions): Extensions {
  const written = new Map(extensions)
  if (settings.idleMs !== null) {
    const idle = Buffer.alloc(TIME_BYTES)
    idle.writeUIntBE(settings.idleMs, 0, TIME_BYTES)
    written.set(EXTENSION_IDLE_LIMIT, idle)
  }
  // Those that were sealed under another name of the cookie may have been dropped since.
  if (settings.attributes === null) written.delete(EXTENSION_COOKIE_ATTRIBUTES)
  else written.set(EXTENSION_COOKIE_ATTRIBUTES, Buffer.from(JSON.stringify(settings.attributes)))
  return written
}

export function areSame (a: OwnSettings, b: OwnSettings): boolean {
  return a.idleMs === b.idleMs && JSON.stringify(a.attributes) === JSON.stringify(b.attributes)
}
