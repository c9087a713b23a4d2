import { ReservedNameError, UnknownMethodError } from '../errors'
import type { ReservedName } from '../../types/session'
import type { Session } from './session'

/** The proxy that users hold: the session's methods, and its values in property style. */
export type SessionView = object

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
  options: true,
  info: true,
  changed: true,
  deleted: true
}

/**
 * Methods of other libraries, and what to do instead. Where no value has the name, reading it gives a function that
 * throws: without it, code such as `session.destroy?.()` would leave the user logged in. `save` is not here: there is
 * code that calls it only where it exists, and that is right without, since the reply writes the session. Nor are names
 * that apps give to values.
 */
const ADVICE: Readonly<Record<string, string>> = {
  destroy: 'call delete(); the reply then clears the cookie',
  reload: 'a session is opened once a request, from its cookie, and there is nothing to load again',
  resetMaxAge: 'call touch()',
  isModified: 'read "changed"',
  isSaved: 'read "changed"; what was changed is written with the reply',
  updateConfig: 'call options()'
}

const OF_OTHERS: ReadonlyMap<string, () => never> = new Map(Object.entries(ADVICE).map(([name, advice]) => {
  return [name, () => { throw new UnknownMethodError(name, advice) }]
}))

/** By this a view is asked for what is behind it, and answers only while this file asks. */
const BEHIND = Symbol('session')
let revealing = false

export function viewOf (session: Session): SessionView {
  return new Proxy(session, traps)
}

/** The session behind a view; undefined for anything else. */
export function behind (view: unknown): Session | undefined {
  if (typeof view !== 'object' || view === null) return undefined
  revealing = true
  try {
    return (view as { [BEHIND]?: Session })[BEHIND]
  } finally {
    revealing = false
  }
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
  if (name === BEHIND && revealing) return session
  // No value is a method, `toString` not either, so in a text a session needs a word of its own.
  return name === Symbol.toPrimitive ? () => '[object Session]' : Reflect.get(session, name)
}

const traps: ProxyHandler<Session> = {
  get (session, name) {
    if (typeof name === 'symbol') return ofSymbol(session, name)
    if (isReserved(name)) {
      const own: unknown = session[name]
      // Bound, so that `const { get, set } = request.session` works.
      return typeof own === 'function' ? own.bind(session) : own
    }
    // A key may bear a reserved name, so JSON.stringify must not read values by property.
    if (name === 'toJSON') return () => session.data()
    const value = session.get(name)
    return value === undefined ? OF_OTHERS.get(name) : value
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
