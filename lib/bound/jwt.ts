import { createPublicKey, verify } from 'node:crypto'
import { isUtf8 } from 'node:buffer'
import { decodeBase64url, decodedLength } from '../core/bytes'
import { COORDINATE_BYTES } from '../core/format'

/** The JWTs by which browsers prove that they have a key: RFC 7519, https://w3c.github.io/webappsec-dbsc/ */

const LONGEST_JWT = 2048
/** RFC 7518 section 3.4: R and S of an ES256 signature, each 32 bytes. */
const SIGNATURE_BYTES = 64

const decoded = Buffer.alloc(decodedLength(LONGEST_JWT))

/** A public key: a point of the curve P-256. */
export interface PublicKey {
  readonly x: Buffer
  readonly y: Buffer
}

/** The content of a JWT. Its signature is not verified yet. */
export interface DeviceJwt {
  /** The challenge that was signed. */
  readonly jti: string
  /** The key in its header; null for none. */
  readonly key: PublicKey | null
  /** The text under the signature. */
  readonly signed: string
  readonly signature: Buffer
}

type Members = Readonly<Record<string, unknown>>

/** Null for anything else than a JWT of a device. Members that are not named here are ignored. */
export function parseJwt (text: string): DeviceJwt | null {
  if (text.length > LONGEST_JWT) return null
  const parts = text.split('.')
  if (parts.length !== 3) return null
  const [head, claims, last] = parts as [string, string, string]
  const signature = parseBytes(last)
  if (signature?.length !== SIGNATURE_BYTES) return null
  const header = parseObject(head)
  const payload = parseObject(claims)
  if (header?.['alg'] !== 'ES256' || header['typ'] !== 'dbsc+jwt') return null
  const jti = payload?.['jti']
  if (typeof jti !== 'string') return null
  const key = header['jwk'] === undefined ? null : parseKey(header['jwk'])
  return key === undefined ? null : { jti, key, signed: `${head}.${claims}`, signature }
}

/** One signature, about 0.2 ms. False for a point that is not on the curve, too. */
export function isSignedBy ({ signed, signature }: DeviceJwt, { x, y }: PublicKey): boolean {
  const jwk = { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') }
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    return verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    return false
  }
}

/** Undefined for what is not a key. */
function parseKey (jwk: unknown): PublicKey | undefined {
  if (!isMembers(jwk) || jwk['kty'] !== 'EC' || jwk['crv'] !== 'P-256') return undefined
  const [x, y] = [parseCoordinate(jwk['x']), parseCoordinate(jwk['y'])]
  return x === null || y === null ? undefined : { x, y }
}

function parseCoordinate (value: unknown): Buffer | null {
  const bytes = typeof value === 'string' ? parseBytes(value) : null
  return bytes?.length === COORDINATE_BYTES ? bytes : null
}

/** Null for a text that is not the JSON of an object, in canonical base64url. */
function parseObject (part: string): Members | null {
  const bytes = parseBytes(part)
  if (bytes === null || !isUtf8(bytes)) return null
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return isMembers(value) ? value : null
  } catch {
    return null
  }
}

function isMembers (value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Null for text that is not canonical base64url. Copied: `decoded` belongs to the next text. */
function parseBytes (text: string): Buffer | null {
  const length = decodeBase64url(text, decoded)
  return length === null ? null : Buffer.from(decoded.subarray(0, length))
}
