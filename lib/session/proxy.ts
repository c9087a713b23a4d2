import { ReservedNameError, UnknownMethodError } from '../errors'
import type { ReservedName } from '../../types/session'
import type { Session } from './session'

const RESERVED: Readonly<Record<ReservedName, true>> = {
  get: true,
  set: true,
  has: true,
  unset: true,
  data: true,
  touch: true,
  regenerate: true,
  delete: true,
  revoke: true,
  revokeOthers: true,
  handOver: true,
  options: true,
  info: true,
  changed: true,
  deleted: true
}

/**
 * Methods of other libraries, and what to call instead. Where no value has the name, reading it gives a function that
 * throws: otherwise `session.destroy?.()` would leave the user logged in. `save` is not among them: code that calls it
 * only where it exists is right, since the reply writes the session. Names that apps give to values are not either.
 */
const ADVICE: Readonly<Record<string, string>> = {
  destroy: 'call delete(); the reply then clears the cookie',
  reload: 'a session is opened once a request, from its cookie, and there is nothing to load again',
  resetMaxAge: 'call touch()',
  isModified: 'read "changed"',
  isSaved: 'read "changed"; what was changed is written with the reply',
  updateConfig: 'call options()'
}

const OTHER_LIBRARIES: ReadonlyMap<string, () => never> = new Map(Object.entries(ADVICE).map(([name, advice]) => {
  return [name, () => { throw new UnknownMethodError(name, advice) }]
}))

/** Reading it from a proxy sets `unwrapped`. A WeakMap with an entry per request would cost garbage collection much. */
const UNWRAP = Symbol('fastify-sealed-session.unwrap')
let unwrapped: Session | undefined

/** What users hold: the session's methods, and its values in property style. */
export function proxyOf (session: Session): object {
  return new Proxy(session, traps)
}

/** The session of a proxy; undefined for anything else. */
export function unwrap (proxy: unknown): Session | undefined {
  unwrapped = undefined
  if (typeof proxy === 'object' && proxy !== null) Reflect.get(proxy, UNWRAP)
  return unwrapped
}

function isReserved (name: string): name is ReservedName {
  return Object.hasOwn(RESERVED, name)
}

function refuseReserved (name: string): void {
  if (isReserved(name)) throw new ReservedNameError(name, name)
}

function assign (session: Session, name: string | symbol, value: unknown): boolean {
  if (typeof name === 'symbol') return false
  refuseReserved(name)
  session.set(name, value)
  return true
}

function ofSymbol (session: Session, name: symbol): unknown {
  // No value is a method, not even `toString`, so a session in a text needs its own conversion.
  return name === Symbol.toPrimitive ? () => '[object Session]' : Reflect.get(session, name)
}

const traps: ProxyHandler<Session> = {
  get (session, name, receiver) {
    if (name === UNWRAP) {
      // Not for an object that inherits from the proxy.
      if (receiver === session.proxy) unwrapped = session
      return undefined
    }
    if (typeof name === 'symbol') return ofSymbol(session, name)
    if (isReserved(name)) {
      const own: unknown = session[name]
      // Bound, so that `const { get, set } = request.session` works.
      return typeof own === 'function' ? own.bind(session) : own
    }
    // A key may have a reserved name, so JSON.stringify must not read values by property.
    if (name === 'toJSON') return () => session.data()
    const value = session.get(name)
    return value === undefined ? OTHER_LIBRARIES.get(name) : value
  },
  set (session, name, value) {
    return assign(session, name, value)
  },
  has (session, name) {
    return typeof name === 'symbol' ? Reflect.has(session, name) : isReserved(name) || session.has(name)
  },
  deleteProperty (session, name) {
    if (typeof name === 'symbol') return false
    refuseReserved(name)
    session.unset(name)
    return true
  },
  defineProperty (session, name, descriptor) {
    return 'value' in descriptor && assign(session, name, descriptor.value)
  },
  setPrototypeOf () {
    return false
  },
  ownKeys (session) {
    return session.keys()
  },
  getOwnPropertyDescriptor (session, name) {
    if (typeof name === 'symbol' || !session.has(name)) return undefined
    return { value: session.get(name), writable: true, enumerable: true, configurable: true }
  },
  preventExtensions () {
    return false
  }
}
