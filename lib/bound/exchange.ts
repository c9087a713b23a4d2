import type { IncomingHttpHeaders } from 'node:http'
import { PURPOSE_REFRESH, PURPOSE_REGISTRATION } from '../core/format'
import type { TokenKeys } from '../core/token'
import { CLOCK_SKEW_MS, MINUTE_MS, SECOND_MS } from '../time'
import type { EndedBecause } from '../../types/events'
import { initiatorOf } from './initiator'
import { isSignedBy, parseJwt, type DeviceJwt, type PublicKey } from './jwt'
import {
  IDENTIFIER_CHARACTERS, openChallenge, sealChallenge, sealDeviceKey, sealProof, type DeviceKey, type Purpose
} from './tokens'

/** The requests of browsers to the two routes, and the answers. */

export interface ExchangeRules {
  readonly keys: { readonly proof: TokenKeys, readonly device: TokenKeys, readonly challenge: TokenKeys }
  /** See `routePath`. */
  readonly path: string
  readonly proofForMs: number
  readonly proofName: string
  /** The attributes of the proof's cookie, as in Set-Cookie. */
  readonly attributes: string
  readonly site: string | null
  readonly refreshInitiators: readonly string[]
}

export type RouteName = 'register' | 'refresh'

/** The path of one of the two routes, as browsers and the router of the app use it. */
export function routePath (path: string, route: RouteName): string {
  return `${path}/${route}`
}

/**
 * What a route answers. For any other answer, browsers forget the key.
 * - `registered`: 200. The browser has a key for this mark.
 * - `proof-issued`: 204.
 * - `challenged`: 403. The browser signs again.
 * - `ended`: 200. The browser forgets the key. The answer itself sets and clears no cookie.
 * - `bad-request`: 400. The request is not one that a browser makes by itself, or the registration is not valid.
 * - `unavailable`: 503. The browser tries again with its next request.
 */
export type Answer = Registered | ProofIssued | Challenged | Ended | BadRequest | Unavailable

export interface Registered {
  readonly kind: 'registered'
  /** The proof, and the Max-Age of its cookie. */
  readonly proof: string
  readonly maxAgeS: number
  /** The value of Secure-Session-Challenge: what the browser signs next. */
  readonly challenge: string
  readonly body: string
}

export interface ProofIssued {
  readonly kind: 'proof-issued'
  readonly proof: string
  readonly maxAgeS: number
  readonly challenge: string
}

export interface Challenged {
  readonly kind: 'challenged'
  readonly challenge: string
  readonly reason: string
}

export interface Ended {
  readonly kind: 'ended'
  readonly body: string
  readonly reason: EndedBecause
}

export interface BadRequest {
  readonly kind: 'bad-request'
  readonly reason: string
}

export interface Unavailable {
  readonly kind: 'unavailable'
  readonly reason: string
}

/** The JWT of a registration has the key to register. */
export interface RegistrationJwt extends DeviceJwt {
  readonly key: PublicKey
}

/** The first proof is short, so that the browser refreshes soon, which clears the pass. */
const FIRST_PROOF_S = MINUTE_MS / SECOND_MS
const REGISTRATION_CHALLENGE_MS = 5 * MINUTE_MS
/** The browser signs a challenge when the proof that was sent with it ends, or some time later. */
const CHALLENGE_GRACE_MS = 2 * MINUTE_MS

const QUOTED = /^"([\x20\x21\x23-\x5b\x5d-\x7e]*)"(?:;.*)?$/
const WORD = /^[\w-]+$/

/** The value of Secure-Session-Registration that asks the browser to register a key for this mark. */
export function registrationOffer (path: string, mark: Buffer, keys: TokenKeys, nowMs: number): string {
  const challenge = sealChallenge({ mark, askedAtMs: nowMs, purpose: PURPOSE_REGISTRATION }, keys, nowMs)
  return `(ES256);path="${routePath(path, 'register')}";challenge="${challenge}"`
}

/** The JWT of a registration, with its key. Its challenge and signature are not checked yet. */
export function parseRegistration (headers: IncomingHttpHeaders): RegistrationJwt | BadRequest {
  if (!isMadeByBrowser(headers)) return badRequest('a script or another site made the request')
  const jwt = parseJwtHeader(headers)
  if (jwt === null) return badRequest('there is no JWT')
  const { key } = jwt
  return key === null ? badRequest('the JWT has no key') : { ...jwt, key }
}

/** @param mark of the session; its pass was sent */
export function register (
  rules: ExchangeRules, jwt: RegistrationJwt, mark: Buffer, nowMs: number
): Registered | BadRequest {
  if (!isChallengeValid(rules, jwt, mark, PURPOSE_REGISTRATION, nowMs)) return badRequest('the challenge is not valid')
  if (!isSignedBy(jwt, jwt.key)) return badRequest('the signature does not verify')
  const identifier = sealDeviceKey({ mark, ...jwt.key }, rules.keys.device, nowMs)
  return {
    kind: 'registered',
    proof: sealProof({ mark, provenAtMs: nowMs }, rules.keys.proof, nowMs),
    maxAgeS: Math.min(FIRST_PROOF_S, proofMaxAgeS(rules)),
    challenge: nextChallengeHeader(rules, identifier, mark, nowMs),
    body: instructions(rules, identifier)
  }
}

/** The identifier of a refresh, unopened. */
export function parseIdentifier (headers: IncomingHttpHeaders): string | BadRequest {
  if (!isMadeByBrowser(headers)) return badRequest('a script or another site made the request')
  const identifier = parseStringHeader(headers['sec-secure-session-id'])
  if (identifier === null) return badRequest('there is no identifier')
  const isPossible = identifier.length === IDENTIFIER_CHARACTERS && WORD.test(identifier)
  return isPossible ? identifier : badRequest('the identifier is malformed')
}

/** @param identifier of the device; the session with its mark was sent */
export function refresh (
  rules: ExchangeRules, identifier: string, device: DeviceKey, headers: IncomingHttpHeaders, nowMs: number
): ProofIssued | Challenged {
  const { mark } = device
  const challenge = nextChallengeHeader(rules, identifier, mark, nowMs)
  const challenged = (reason: string): Challenged => ({ kind: 'challenged', challenge, reason })
  const jwt = parseJwtHeader(headers)
  if (jwt === null) return challenged('there is no JWT')
  if (jwt.key !== null) return challenged('the JWT has a key of its own')
  if (!isChallengeValid(rules, jwt, mark, PURPOSE_REFRESH, nowMs)) return challenged('the challenge is not valid')
  if (!isSignedBy(jwt, device)) return challenged('the signature does not verify')
  const proof = sealProof({ mark, provenAtMs: nowMs }, rules.keys.proof, nowMs)
  return { kind: 'proof-issued', proof, maxAgeS: proofMaxAgeS(rules), challenge }
}

export function endAnswer (identifier: string, reason: EndedBecause): Ended {
  return { kind: 'ended', body: JSON.stringify({ session_identifier: identifier, continue: false }), reason }
}

export function badRequest (reason: string): BadRequest {
  return { kind: 'bad-request', reason }
}

export function unavailable (reason: string): Unavailable {
  return { kind: 'unavailable', reason }
}

/** The text of a header: a string of structured fields (RFC 9651), or bare, as Chromium sends it. Null for none. */
export function parseStringHeader (header: string | string[] | undefined): string | null {
  if (typeof header !== 'string') return null
  return QUOTED.exec(header)?.[1] ?? header
}

/**
 * Scripts can set Secure-Session-Response, but not in mode `no-cors`. Early versions of Chromium send neither of these
 * headers.
 */
function isMadeByBrowser (headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode']
  return (mode === undefined || mode === 'no-cors') && initiatorOf(headers) !== 'other-site'
}

function parseJwtHeader (headers: IncomingHttpHeaders): DeviceJwt | null {
  const text = parseStringHeader(headers['secure-session-response'])
  return text === null ? null : parseJwt(text)
}

/** The JWT signs a challenge that a server sealed for this mark and purpose, and that has not expired. */
function isChallengeValid (
  { keys, proofForMs }: ExchangeRules, { jti }: DeviceJwt, mark: Buffer, purpose: Purpose, nowMs: number
): boolean {
  const challenge = openChallenge(jti, keys.challenge, nowMs)
  if (challenge === null || challenge.purpose !== purpose || !challenge.mark.equals(mark)) return false
  const ageMs = nowMs - challenge.askedAtMs
  const lastsMs = purpose === PURPOSE_REGISTRATION ? REGISTRATION_CHALLENGE_MS : proofForMs + CHALLENGE_GRACE_MS
  return ageMs >= -CLOCK_SKEW_MS && ageMs < lastsMs
}

function nextChallengeHeader ({ keys }: ExchangeRules, identifier: string, mark: Buffer, nowMs: number): string {
  const challenge = sealChallenge({ mark, askedAtMs: nowMs, purpose: PURPOSE_REFRESH }, keys.challenge, nowMs)
  return `"${challenge}";id="${identifier}"`
}

function proofMaxAgeS ({ proofForMs }: ExchangeRules): number {
  return Math.floor(proofForMs / SECOND_MS)
}

/** The JSON by which a browser knows when to refresh, where, and for which cookie. */
function instructions (rules: ExchangeRules, identifier: string): string {
  const { path, proofName, attributes, site, refreshInitiators } = rules
  return JSON.stringify({
    session_identifier: identifier,
    refresh_url: routePath(path, 'refresh'),
    scope: {
      include_site: site !== null,
      ...(site === null ? {} : { origin: site }),
      // Requests for the two routes must not wait for a refresh.
      scope_specification: [{ type: 'exclude', domain: '*', path }]
    },
    credentials: [{ type: 'cookie', name: proofName, attributes }],
    ...(refreshInitiators.length === 0 ? {} : { allowed_refresh_initiators: refreshInitiators })
  })
}
