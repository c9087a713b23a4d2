import { boolean, describe, duration, invalid, isObject, refuseUnknown, sessionFunction, type Input } from '../checks'
import type { CookieAttributes } from '../cookies/attributes'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../time'

/** The option `deviceBound`, checked and with every default filled in. */
export interface ResolvedDeviceBound {
  /** A user is logged in by this session. Null: where it has a subject. */
  readonly when: ((session: never) => unknown) | null
  /** See `routePath` in `lib/bound/exchange.ts`. */
  readonly path: string
  /** Logins get a mark, and browsers are asked to register a key. */
  readonly offer: boolean
  /** A session without a pass or a proof is refused. */
  readonly enforce: boolean
  /** The origin whose subdomains share a binding; null: each origin has its own. */
  readonly site: string | null
  readonly refreshInitiators: readonly string[]
}

/** The options that this one depends on. */
interface OtherOptions {
  readonly sessionName: string
  readonly attributes: CookieAttributes
  readonly hasSubject: boolean
  /** Of the scope that the plugin is registered in; empty for none. */
  readonly prefix: string
}

/** How long a proof lasts, also on a server without the option. */
export const DEFAULT_PROOF_FOR_MS = 10 * MINUTE_MS
const SHORTEST_PROOF_FOR_MS = SECOND_MS
const LONGEST_PROOF_FOR_MS = DAY_MS
/** Chromium signs six times in nine minutes for a site, and refreshes from two minutes before the end. */
const ADVISED_PROOF_FOR_MS = 5 * MINUTE_MS

const KNOWN = ['when', 'proofFor', 'path', 'offer', 'enforce', 'site', 'refreshInitiators']
const WHERE = 'option "deviceBound"'

// Characters that are not special to a router, and that no client encodes. Clients resolve the segments "." and "..".
const PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/
/** `*` is any host, `*.example.com` any subdomain. */
const INITIATOR = /^(?:\*|(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*)$/i

/** Checks the option `deviceBound`; null where it is off. Throws FST_SESSION_INVALID_OPTION. */
export function resolveDeviceBound (option: unknown, others: OtherOptions): ResolvedDeviceBound | null {
  const input = inputOf(option)
  if (input === null) return null
  const { attributes, hasSubject } = others
  checkAttributes(attributes)
  return {
    when: readWhen(input['when'], hasSubject),
    path: readPath(input['path'], others),
    offer: flag(input, 'offer'),
    enforce: flag(input, 'enforce'),
    site: readSite(input['site'], attributes.domain),
    refreshInitiators: readInitiators(input['refreshInitiators'])
  }
}

/** How long a proof lasts. Throws FST_SESSION_INVALID_OPTION. */
export function resolveProofFor (option: unknown): number {
  const proofForMs = duration(inputOf(option)?.['proofFor'], 'deviceBound.proofFor', DEFAULT_PROOF_FOR_MS)
  if (proofForMs >= SHORTEST_PROOF_FOR_MS && proofForMs <= LONGEST_PROOF_FOR_MS) return proofForMs
  const found = `found ${proofForMs / SECOND_MS} seconds`
  throw invalid(`option "deviceBound.proofFor" must be from 1 second to 1 day; ${found}`)
}

export function warningsForProofFor (proofForMs: number): string[] {
  if (proofForMs >= ADVISED_PROOF_FOR_MS) return []
  return ['"deviceBound.proofFor" is shorter than 5 minutes: Chromium signs at most 6 times in 9 minutes for a site, ' +
    'and begins to sign 2 minutes before a proof ends. Active users will be refused']
}

function inputOf (option: unknown): Input | null {
  if (option === undefined || option === false) return null
  if (option === true) return {}
  if (!isObject(option)) {
    throw invalid(`${WHERE} must be true, false or an object such as { proofFor: '10m' }; found ${describe(option)}`)
  }
  refuseUnknown(option, KNOWN, `${WHERE}:`)
  return option
}

/** Throws FST_SESSION_INVALID_OPTION for cookies with which browsers cannot keep a session bound. */
function checkAttributes ({ sameSite, secure, partitioned }: CookieAttributes): void {
  const rule = (broken: boolean, message: string): void => {
    if (broken) throw invalid(`${WHERE}: ${message}`)
  }
  rule(secure === false, 'browsers register a key only over TLS, so it does not work with cookie.secure: false')
  rule(sameSite === null, 'it does not work with cookie.sameSite: false: browsers would sign for every request')
  rule(partitioned, 'it does not work with cookie.partitioned: true')
}

function readWhen (when: unknown, hasSubject: boolean): ResolvedDeviceBound['when'] {
  const given = sessionFunction(when, 'deviceBound.when')
  if (given !== null || hasSubject) return given
  throw invalid(`${WHERE} needs the option "subject", or its own "when": sessions are bound when a user logs in`)
}

function readPath (path: unknown, { attributes, sessionName, prefix }: OtherOptions): string {
  const cookiePath = withSlash(attributes.path as string)
  const scopePath = withSlash(prefix)
  const base = scopePath.startsWith(cookiePath) ? scopePath : cookiePath
  const found = path === undefined ? `${base}dbsc/${sessionName}` : path
  if (typeof found !== 'string' || !PATH.test(found)) {
    throw invalid('option "deviceBound.path" must be a path such as "/dbsc/session", of letters, digits, "-", "_", ' +
      `"." and "~"; found ${path === undefined ? `its default, "${String(found)}"` : describe(path)}`)
  }
  if (!found.startsWith(cookiePath)) {
    throw invalid(`option "deviceBound.path" must begin with "${cookiePath}" and go on: browsers send the session ` +
      `only under "cookie.path"; found "${found}"`)
  }
  if (!found.startsWith(scopePath)) {
    throw invalid(`option "deviceBound.path" must begin with "${scopePath}" and go on, the prefix of the scope that ` +
      `the plugin is registered in; found "${found}"`)
  }
  return found
}

function withSlash (path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}

function flag (input: Input, name: string): boolean {
  const named = `deviceBound.${name}`
  return boolean({ [named]: input[name] }, named, true)
}

/** Throws FST_SESSION_INVALID_OPTION, also where a domain shares the cookie and each origin would have its own key. */
function readSite (site: unknown, domain: string | null): string | null {
  if (site === undefined) {
    if (domain === null) return null
    throw invalid(`${WHERE} needs "site" beside cookie.domain, such as "https://${domain}": subdomains share ` +
      'the cookie, and would each need a key')
  }
  if (typeof site !== 'string' || !URL.canParse(site) || new URL(site).origin !== site || !site.startsWith('https:')) {
    throw invalid('option "deviceBound.site" must be an origin such as "https://example.com"; ' +
      `found ${typeof site === 'string' ? `"${site}"` : describe(site)}`)
  }
  const { hostname } = new URL(site)
  if (domain !== null && hostname === domain) return site
  throw invalid('option "deviceBound.site" must have the host of cookie.domain, which shares the session with all ' +
    `subdomains; found "${hostname}" and ${domain === null ? 'no cookie.domain' : `"${domain}"`}`)
}

function readInitiators (initiators: unknown): readonly string[] {
  if (initiators === undefined) return []
  const isHost = (host: unknown): boolean => typeof host === 'string' && INITIATOR.test(host)
  if (Array.isArray(initiators) && initiators.every(isHost)) return [...initiators]
  throw invalid('option "deviceBound.refreshInitiators" must be an array of hosts such as "www.example.com" or ' +
    `"*.example.com"; found ${Array.isArray(initiators) ? 'an array with something else' : describe(initiators)}`)
}
