import { types } from 'node:util'
import { NotSerializableError } from '../errors'

/** What JSON cannot write, and what it would write as something else without an error. */

interface Altered {
  /** Relative to the key, such as `.tags[2]`. */
  readonly path: string
  /** What is there. */
  readonly what: string
}

/** Throws FST_SESSION_NOT_SERIALIZABLE where JSON cannot write a value. */
export function refuseUnserializable (key: string, value: unknown): void {
  // A toJSON is given the key.
  explained(key, () => JSON.stringify({ [key]: value }))
}

/** Throws FST_SESSION_NOT_SERIALIZABLE where JSON would change a value without an error. It must have no cycle. */
export function refuseAltered (key: string, value: unknown): void {
  const altered = explained(key, () => alteredIn(value, key))
  if (altered === null) return
  const path = key + altered.path
  throw new NotSerializableError(`"${path}" is ${altered.what}, which JSON cannot write as it is`, path)
}

/** As `refuseAltered`, for the value alone: what is nested in it is checked when the session is written. */
export function refuseUnwritable (key: string, value: unknown): void {
  const what = kindOf(value)
  if (what !== null) throw new NotSerializableError(`"${key}" is ${what}, which JSON cannot write as it is`, key)
}

function explained<T> (key: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    const isTooDeep = cause instanceof RangeError
    const reason = isTooDeep ? 'is nested too deeply' : 'has a BigInt, a cycle, or a toJSON that throws'
    throw new NotSerializableError(`the value of "${key}" cannot be written as JSON: it ${reason}`, key, cause)
  }
}

/** @param name of the value, which a toJSON gets */
function alteredIn (value: unknown, name: string): Altered | null {
  const what = kindOf(value)
  if (what !== null) return { path: '', what }
  if (typeof value !== 'object' || value === null || types.isDate(value)) return null
  return hasToJSON(value) ? alteredByToJSON(value.toJSON(name)) : alteredWithin(value)
}

/** JSON calls no toJSON of what a toJSON returned. */
function alteredByToJSON (value: unknown): Altered | null {
  const what = kindOf(value)
  if (what !== null) return { path: '', what: `something whose toJSON returns ${what}` }
  return typeof value === 'object' && value !== null ? alteredWithin(value) : null
}

function alteredWithin (value: object): Altered | null {
  return Array.isArray(value) ? alteredInArray(value) : alteredInObject(value as Readonly<Record<string, unknown>>)
}

function alteredInArray (values: readonly unknown[]): Altered | null {
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    if (typeof value === 'string') continue
    const altered = value === undefined ? { path: '', what: 'undefined' } : alteredIn(value, String(index))
    if (altered !== null) return { path: `[${index}]${altered.path}`, what: altered.what }
  }
  return null
}

function alteredInObject (object: Readonly<Record<string, unknown>>): Altered | null {
  for (const name of Object.keys(object)) {
    const value = object[name]
    if (typeof value === 'string') continue
    const altered = alteredIn(value, name)
    if (altered !== null) return { path: `.${name}${altered.path}`, what: altered.what }
  }
  return null
}

/** What a value is, if JSON would write it as something else; else null. */
function kindOf (value: unknown): string | null {
  switch (typeof value) {
    case 'number': return Number.isFinite(value) ? null : String(value)
    case 'bigint': case 'function': case 'symbol': return `a ${typeof value}`
    case 'object': return value === null || isPlain(value) ? null : `an instance of ${nameOfClass(value)}`
    default: return null
  }
}

/** An array, an object of no class, in whichever realm, or what says itself how it is written. */
function isPlain (value: object): boolean {
  if (Array.isArray(value) || isOfNoClass(value)) return true
  return hasToJSON(value) && !isInvalidDate(value)
}

/** In whichever realm. */
export function isOfNoClass (value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function hasToJSON (value: unknown): value is { toJSON: (name: string) => unknown } {
  return typeof (value as { toJSON?: unknown } | null | undefined)?.toJSON === 'function'
}

/** JSON writes it as null. */
function isInvalidDate (value: object): boolean {
  return types.isDate(value) && Number.isNaN(value.getTime())
}

function nameOfClass ({ constructor }: object): string {
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'a class'
}
