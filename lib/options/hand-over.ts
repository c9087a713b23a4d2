import { boolean, describe, duration, invalid, isObject, refuseUnknown, type Input } from '../checks'
import type { Materials } from '../keyring/fixed-keys'
import { keysBytes } from '../keyring/key-material'
import { sitePath } from '../site-path'
import { MINUTE_MS, SECOND_MS } from '../time'

/** The option `handOver`, checked and with every default filled in. All URLs are as `URL` writes them. */
export interface ResolvedHandOver {
  readonly send: ResolvedSender | null
  readonly receive: ResolvedReceiver | null
}

export interface ResolvedSender {
  /** The URL of the app's route that hands sessions over. */
  readonly at: string
  readonly to: readonly string[]
  readonly ttlMs: number
  /** The ticket may be in a URL. */
  readonly query: boolean
}

export interface ResolvedReceiver {
  /** The URL of the plugin's route that takes tickets. */
  readonly at: string
  /** The path of `at`. */
  readonly path: string
  readonly from: readonly string[]
  /** Where a browser goes after a hand-over, on this site. */
  readonly then: string
  /** Where it goes if the ticket is refused; null for a page of the plugin. */
  readonly refused: string | null
  /** Returns the values of the session, or null to refuse; null where all values are taken. */
  readonly accept: ((values: object, request: never) => unknown) | null
  readonly query: boolean
  /** The cookie that holds what a browser has begun. */
  readonly flowName: string
}

/** A path of this size fits in the cookie four times. */
const LONGEST_PATH = 256
/** As the path of `deviceBound`: characters that are not special to a router. */
const ROUTE_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/
const LOOPBACK = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/
const LONGEST_URL = 512
const COOKIE_PREFIX = /^__(?:secure|host-http|host|http)-/i

const DEFAULT_TTL_MS = 30 * SECOND_MS
const SHORTEST_TTL_MS = 5 * SECOND_MS
const LONGEST_TTL_MS = 2 * MINUTE_MS

const WHERE = 'option "handOver"'

/**
 * Checks the option `handOver`; null where it is not given. Throws FST_SESSION_INVALID_OPTION.
 * @param prefix of the scope that the plugin is registered in
 */
export function resolveHandOver (option: unknown, cookieName: string, prefix: string): ResolvedHandOver | null {
  if (option === undefined) return null
  if (!isObject(option)) {
    throw invalid(`${WHERE} must be an object such as { send: { at, to } }; found ${describe(option)}`)
  }
  refuseUnknown(option, ['send', 'receive', 'key'], `${WHERE}:`)
  const send = part(option, 'send', ['at', 'to', 'ttl', 'query'])
  const receive = part(option, 'receive', ['at', 'from', 'then', 'refused', 'accept', 'query'])
  if (send === null && receive === null) {
    throw invalid(`${WHERE} must have "send", for a site that hands sessions over, or "receive", for one that takes ` +
      'them, or both; found neither')
  }
  return {
    send: send === null ? null : readSender(send),
    receive: receive === null ? null : readReceiver(receive, cookieName, prefix)
  }
}

/** The keys in `handOver.key`; null for those of the session. Throws FST_SESSION_INVALID_KEY. */
export function handOverMaterials (option: unknown): Materials | null {
  const key = isObject(option) ? option['key'] : undefined
  return key === undefined ? null : keysBytes(key, 'option "handOver.key"')
}

/** The name of the cookie that holds what a browser has begun; none for a session that is no receiver. */
export function flowNamesOf (handOver: ResolvedHandOver | null): readonly string[] {
  return handOver?.receive == null ? [] : [handOver.receive.flowName]
}

/** A path of this site, as a browser writes it; null for any other value, or where it is too long for the cookie. */
export function shortSitePath (value: unknown): string | null {
  const path = sitePath(value)
  return path !== null && path.length <= LONGEST_PATH ? path : null
}

/** A URL as `URL` writes it, for comparison; null for what is none. */
export function canonicalUrl (url: unknown): string | null {
  return typeof url === 'string' && url.length <= LONGEST_URL && URL.canParse(url) ? new URL(url).href : null
}

function part (option: Input, name: string, known: readonly string[]): Input | null {
  const found = option[name]
  if (found === undefined) return null
  if (!isObject(found)) throw invalid(`option "handOver.${name}" must be an object; found ${describe(found)}`)
  refuseUnknown(found, known, `option "handOver.${name}":`)
  return found
}

function readSender (send: Input): ResolvedSender {
  const ttlMs = duration(send['ttl'], 'handOver.send.ttl', DEFAULT_TTL_MS)
  if (ttlMs < SHORTEST_TTL_MS || ttlMs > LONGEST_TTL_MS) {
    const found = `found ${ttlMs / SECOND_MS} seconds`
    throw invalid(`option "handOver.send.ttl" must be from 5 seconds to 2 minutes; ${found}`)
  }
  return {
    at: readUrl(send['at'], 'handOver.send.at').href,
    to: readUrls(send['to'], 'handOver.send.to'),
    ttlMs,
    query: flag(send, 'handOver.send.query')
  }
}

function readReceiver (receive: Input, cookieName: string, prefix: string): ResolvedReceiver {
  const { href, pathname, protocol } = readUrl(receive['at'], 'handOver.receive.at')
  if (!ROUTE_PATH.test(pathname)) {
    throw invalid('option "handOver.receive.at" must have a path such as "/welcome", of letters, digits, "-", "_", ' +
      `"." and "~"; found "${pathname}"`)
  }
  const scope = prefix.endsWith('/') ? prefix : `${prefix}/`
  if (!pathname.startsWith(scope)) {
    throw invalid(`option "handOver.receive.at" must have a path that begins with "${scope}", the prefix of the ` +
      `scope that the plugin is registered in; found "${pathname}"`)
  }
  const plainName = cookieName.replace(COOKIE_PREFIX, '')
  return {
    at: href,
    path: pathname,
    from: readUrls(receive['from'], 'handOver.receive.from'),
    then: receive['then'] === undefined ? '/' : readPath(receive['then'], 'handOver.receive.then'),
    refused: receive['refused'] === undefined ? null : readPath(receive['refused'], 'handOver.receive.refused'),
    accept: readAccept(receive['accept']),
    query: flag(receive, 'handOver.receive.query'),
    flowName: `${protocol === 'https:' ? '__Host-' : ''}${plainName}.h`
  }
}

function flag (input: Input, name: string): boolean {
  return boolean({ [name]: input['query'] }, name, false)
}

function readAccept (accept: unknown): ResolvedReceiver['accept'] {
  if (accept === undefined) return null
  if (typeof accept === 'function') return accept as ResolvedReceiver['accept']
  throw invalid('option "handOver.receive.accept" must be a function such as values => ({ user: values.user }); ' +
    `found ${describe(accept)}`)
}

function readPath (path: unknown, name: string): string {
  const found = shortSitePath(path)
  if (found !== null) return found
  throw invalid(`option "${name}" must be a path of this site such as "/account", of at most ${LONGEST_PATH} ` +
    `characters; found ${describe(path)}`)
}

function readUrls (urls: unknown, name: string): readonly string[] {
  if (Array.isArray(urls) && urls.length > 0) return urls.map((url, index) => readUrl(url, `${name}[${index}]`).href)
  throw invalid(`option "${name}" must be an array of one or more URLs; found ` +
    (Array.isArray(urls) ? 'an empty array' : describe(urls)))
}

/** Throws FST_SESSION_INVALID_OPTION. Messages do not quote it: it may have a password. */
function readUrl (url: unknown, name: string): URL {
  const rule = (broken: boolean, wanted: string): void => {
    if (broken) throw invalid(`option "${name}" must be ${wanted}; found ${describe(url)}`)
  }
  rule(canonicalUrl(url) === null, `a whole URL such as "https://shop.example/welcome", of at most ${LONGEST_URL} ` +
    'characters')
  const parsed = new URL(url as string)
  const { protocol, hostname, username, password, search, hash, href } = parsed
  rule(protocol !== 'https:' && !(protocol === 'http:' && LOOPBACK.test(hostname)),
    'a URL with "https:", or with "http:" on this machine, such as "http://localhost:3000/welcome"')
  rule(username !== '' || password !== '', 'a URL without a user or a password')
  rule(search !== '' || hash !== '' || /[?#]/.test(href), 'a URL without a query and without a fragment')
  return parsed
}
