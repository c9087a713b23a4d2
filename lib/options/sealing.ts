import { isCookieName } from '../cookies/header'
import { customCodec as codecOf, jsonCodec, type Codec } from '../session/codec'
import type { Limits } from '../session/expiry'
import { DAY_MS } from '../time'
import type { Serializer } from '../../types/sealing'
import { aliased, describe, duration, integer, invalid, isObject, text, type Input } from '../checks'

/** The options that the plugin and the sealer share, checked and with every default filled in. */
export interface SealingOptions {
  readonly cookieName: string
  readonly limits: Limits
  readonly codec: Codec
  readonly customCodec: Codec | null
  readonly padTo: number
}

export const SEALING_NAMES = ['cookieName', 'idle', 'expiry', 'absolute', 'renewAfter', 'padTo', 'serializer']

/** More padding could fill the cookie by itself. */
const MOST_PADDING = 2048

/** Checks the options that the plugin and the sealer share. Throws FST_SESSION_INVALID_OPTION. */
export function resolveSealing (input: Input, defaultName: string, defaultIdleMs = DAY_MS): SealingOptions {
  return {
    cookieName: readCookieName(input, defaultName),
    limits: resolveLimits(input, defaultIdleMs),
    ...resolveCodecs(input['serializer']),
    padTo: integer(input, 'padTo', 0, 0, MOST_PADDING)
  }
}

/** Checks the option `cookieName`. Throws FST_SESSION_INVALID_OPTION. */
export function readCookieName (input: Input, defaultName: string): string {
  const cookieName = text(input, 'cookieName', defaultName)
  if (!isCookieName(cookieName)) {
    throw invalid('option "cookieName" (or "sessionName", its default) must be a cookie name: ' +
      'letters, digits, "-", "_" and the like')
  }
  return cookieName
}

function resolveLimits (input: Input, defaultIdleMs: number): Limits {
  const idleMs = duration(aliased(input, 'idle', 'expiry'), 'idle', defaultIdleMs)
  const absoluteMs = duration(input['absolute'], 'absolute', Math.max(30 * DAY_MS, idleMs))
  const renewAfterMs = duration(input['renewAfter'], 'renewAfter', idleMs / 4)
  if (renewAfterMs >= idleMs) {
    throw invalid('option "renewAfter" must be shorter than "idle" (by default "cookie.maxAge", or a day): ' +
      'a session would expire before it could be renewed')
  }
  return { idleMs, absoluteMs, renewAfterMs }
}

function resolveCodecs (serializer: unknown): Pick<SealingOptions, 'codec' | 'customCodec'> {
  if (serializer === undefined) return { codec: jsonCodec, customCodec: null }
  if (!isObject(serializer) || !isFunction(serializer['serialize']) || !isFunction(serializer['deserialize'])) {
    throw invalid('option "serializer" must have the functions serialize and deserialize')
  }
  const { writes = true } = serializer
  if (typeof writes !== 'boolean') {
    throw invalid(`option "serializer.writes" must be true or false; found ${describe(writes)}`)
  }
  const customCodec = codecOf(serializer as unknown as Serializer)
  return { codec: writes ? customCodec : jsonCodec, customCodec }
}

function isFunction (value: unknown): boolean {
  return typeof value === 'function'
}
