import { InvalidOptionError } from './errors'
import { durationMs } from './time'

/** Checks of single options. Each throws FST_SESSION_INVALID_OPTION with the value found and the value wanted. */

export type Input = Readonly<Record<string, unknown>>

export function invalid (message: string): Error {
  return new InvalidOptionError(`fastify-sealed-session: ${message}`)
}

/** The type of a value for a message. Text is not quoted: it could be a secret in the wrong option. */
export function describe (value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return String(value)
  if (typeof value === 'string') return `a string of ${value.length} characters`
  if (Array.isArray(value)) return 'an array'
  return isPromise(value) ? 'a promise' : typeof value
}

function isPromise (value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function'
}

/** What a function of the app has returned. Where a promise is wrong, its rejection must not end the process. */
export function returned (value: unknown): unknown {
  if (isPromise(value)) Promise.resolve(value).catch(() => {})
  return value
}

export function isObject (value: unknown): value is Input {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function refuseUnknown (input: Input, known: readonly string[], what: string): void {
  const unknown = Object.keys(input).find(name => !known.includes(name))
  if (unknown !== undefined) throw invalid(`${what} "${unknown}" is unknown; known are ${known.join(', ')}`)
}

/** The value of an option or of its alias; both together are refused. */
export function aliased (input: Input, name: string, alias: string): unknown {
  if (input[name] !== undefined && input[alias] !== undefined) {
    throw invalid(`options "${name}" and "${alias}" are two names of one option: give one of them`)
  }
  return input[name] === undefined ? input[alias] : input[name]
}

export function boolean (input: Input, name: string, defaultValue: boolean): boolean {
  const value = input[name] === undefined ? defaultValue : input[name]
  if (typeof value !== 'boolean') throw invalid(`option "${name}" must be true or false; found ${describe(value)}`)
  return value
}

export function text (input: Input, name: string, defaultValue: string): string {
  const value = input[name] === undefined ? defaultValue : input[name]
  if (typeof value !== 'string' || value === '') {
    throw invalid(`option "${name}" must be a string that is not empty; found ${describe(value)}`)
  }
  return value
}

export function integer (input: Input, name: string, defaultValue: number, min: number, max: number): number {
  const value = input[name] === undefined ? defaultValue : input[name]
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw invalid(`option "${name}" must be a whole number from ${min} to ${max}; found ${describe(value)}`)
  }
  return value as number
}

/** A function that is asked about a session; null where none is given. */
export function sessionFunction (value: unknown, name: string): ((session: never) => unknown) | null {
  if (value === undefined) return null
  if (typeof value === 'function') return value as (session: never) => unknown
  throw invalid(`option "${name}" must be a function such as session => session.has('user'); found ${describe(value)}`)
}

/** The milliseconds of a duration. */
export function duration (value: unknown, name: string, defaultMs: number): number {
  if (value === undefined) return defaultMs
  const ms = durationMs(value)
  if (ms === null) {
    throw invalid(`option "${name}" must be seconds above 0, or text such as "15m"; found ${describe(value)}`)
  }
  return ms
}
