import { isUtf8 } from 'node:buffer'
import { cookieValues, isCookieName } from '../cookies/header'
import { TIME_BYTES } from '../core/bytes'
import { readEnvelope, type Extensions } from '../core/envelope'
import {
  EXTENSION_ABSOLUTE_LIMIT, EXTENSION_AUTHENTICATED_AT, EXTENSION_COOKIE_ATTRIBUTES, EXTENSION_IDLE_LIMIT,
  EXTENSION_MARK, EXTENSION_MAX_AGE, EXTENSION_PERSISTENT, EXTENSION_SUBJECT, EXTENSIONS_AT, MARK_BYTES, PROOF_BYTES,
  PROOF_SUFFIX, PROVEN_AT, STAMP_SUFFIX
} from '../core/format'
import { CookieParts } from '../core/parts'
import { MALFORMED, type Refusal } from '../core/refusal'
import { readStamp } from '../core/stamp'
import { keyIdIn, openToken, plaintext } from '../core/token'
import { isoTime } from '../keyring/document'
import { idText } from '../keyring/key-id'
import { fixedTerms, Keyring, type KeyDerivation } from '../keyring/keyring'
import { isTenantId, TENANT_ID_CHARACTERS, TenantKeys } from '../keyring/tenant-keys'
import { schedule, stateAt } from '../keyring/schedule'
import { jsonCodec } from '../session/codec'
import { readExtended, type Extended } from '../session/extensions'
import { oneOf, WrongUse, type Command } from './command'
import { keyFromEnv, KEYRING_OPTIONS, KEYRING_SOURCES, readKeys } from './keyring-access'
import { duration, fromNow, PROGRAM, quoted, table } from './text'

/** The content of a token, without the limits and the serializer of a server. */
type Json = Readonly<Record<string, unknown>>

export const inspect: Command = {
  name: 'inspect',
  summary: 'open a cookie from stdin and show its content',
  about: `Opens a cookie and shows its times, key and sizes, and its values with --show.
It reads from stdin, since arguments stay in the history of the shell: either a
bare token, or the value of a Cookie header, "name=value; name=value", with all
parts of a split session: "session", "session.1" and "session.2". "session.t" is
the stamp that renews "session", "session.d" the proof of a device.

Keys of any state open it. Limits of the server are not known, so it does not
show whether the session has expired.`,
  options: ['cookie-name', 'tenant', 'show', ...KEYRING_OPTIONS, 'key-env'],
  async run (args, io) {
    const name = args['cookie-name']
    if (name === undefined) throw new WrongUse('inspect needs --cookie-name NAME')
    if (!isCookieName(name)) throw new WrongUse('--cookie-name takes the name of a cookie, such as session')
    const { tenant } = args
    if (tenant !== undefined && !isTenantId(tenant)) throw new WrongUse(`--tenant takes ${TENANT_ID_CHARACTERS}`)
    const records = oneOf(args, [...KEYRING_SOURCES, 'key-env']) === 'key-env' ? null : await readKeys(args, io)
    const materials = records?.map(({ material }) => material) ?? [keyFromEnv(args['key-env'] as string, io)]
    if (io.isInputTTY) io.err(`${PROGRAM}: paste the cookie, press Enter, then Ctrl-D (in Windows Ctrl-Z and Enter)\n`)
    const tokens = tokensIn((await io.input()).trim(), name)
    const ring = new Keyring(fixedTerms(materials))
    const keyring = tenant === undefined ? ring : new TenantKeys(ring, tenant)
    const contents = tokens.map(token => open(token, name, keyring))
    const index = contents.findIndex(content => !('ok' in content))
    if (index === -1) {
      throw new Error(`the cookie does not open: ${explain(contents[0] as Refusal, tokens[0] as string, name)}`)
    }
    const id = idText(keyIdIn(tokens[index] as string) as number)
    const key = schedule(records ?? []).find(({ key }) => key.id === id)
    const { data, ...rest } = contents[index] as Json
    const json = { ...rest, key: { id, state: key === undefined ? null : stateAt(key, io.now()) } }
    const shown = args.show ? data : undefined
    return {
      lines: [
        ...table(rowsOf(json, io.now())),
        ...shown === undefined ? [] : JSON.stringify(shown, null, 2).split('\n'),
        ...tokens.length === 1 ? [] : [`(the first that opens of ${tokens.length} cookies of this name)`]
      ],
      json: { ...json, data: shown }
    }
  }
}

/** The tokens that the input may contain, at least one. */
function tokensIn (text: string, name: string): readonly string[] {
  if (text === '') throw new Error('stdin is empty: give a token or a Cookie header')
  if (/^[\w-]+$/.test(text)) return [text]
  const valuesOf = (name: string): string[] => cookieValues(text, name)
  const values = valuesOf(name)
  if (values.length === 0) throw new Error(`no cookie has this name (${quoted(name)})`)
  const joined = new CookieParts(name).tokensIn(valuesOf).filter(token => token !== null)
  // If parts are missing, the first part is opened by itself, and the message names the others.
  const tokens = (joined.length > 0 ? joined : values).filter(token => token !== '')
  if (tokens.length === 0) throw new Error(`the cookie of this name (${quoted(name)}) is empty: it was cleared`)
  return tokens
}

function open (token: string, name: string, keyring: KeyDerivation): Json | Refusal {
  const use = name.endsWith(STAMP_SUFFIX) ? 'stamp' : name.endsWith(PROOF_SUFFIX) ? 'proof' : 'cookie'
  const cookies = new CookieParts(name).partsOf(token)
  // The keys open at any time.
  const opened = openToken(token, keyring.tokenKeys(use, name), cookies, 0)
  if ('ok' in opened) return opened
  const content = { stamp: stampContent, proof: proofContent, cookie: sessionContent }[use]
  return content(opened.plaintextBytes, token.length, cookies)
}

function stampContent (length: number, characters: number): Json | Refusal {
  const stamp = readStamp(plaintext, length)
  if ('ok' in stamp) return stamp
  return {
    kind: 'stamp',
    session: stamp.id.toString('hex'),
    renewedAt: isoTime(stamp.renewedAtMs),
    checkedAt: isoTime(stamp.checkedAtMs === 0 ? null : stamp.checkedAtMs),
    sizes: { token: characters }
  }
}

/** The mark is not shown: it is the pass of the session. */
function proofContent (length: number, characters: number): Json | Refusal {
  if (length !== PROOF_BYTES) return MALFORMED
  const provenAt = isoTime(plaintext.readUIntBE(PROVEN_AT, TIME_BYTES))
  return { kind: 'proof', provenAt, sizes: { token: characters } }
}

function sessionContent (length: number, characters: number, cookies: number | null): Json | Refusal {
  const envelope = readEnvelope(plaintext, length)
  if ('ok' in envelope) return envelope
  const { id, createdAtMs, renewedAtMs, customSerializer, extensions, dataAt, dataEnd } = envelope
  const bytes = Buffer.from(plaintext.subarray(dataAt, dataEnd))
  const values = customSerializer ? null : jsonCodec.parse(jsonCodec.read(bytes) ?? '')
  const extended = readExtended(extensions)
  if (extended === null || (!customSerializer && values === null)) return MALFORMED
  const padding = length - dataEnd
  const sizes = { head: EXTENSIONS_AT, extensions: dataAt - EXTENSIONS_AT, data: bytes.length, padding }
  return {
    kind: 'session',
    session: id.toString('hex'),
    createdAt: isoTime(createdAtMs),
    renewedAt: isoTime(renewedAtMs),
    padded: padding > 0,
    customSerializer,
    cookies,
    sizes: { token: characters, plaintext: length, ...sizes },
    extensions: extensionsContent(extensions, extended),
    keys: values === null ? null : Object.keys(values).length,
    data: values ?? (isUtf8(bytes) ? { text: `${bytes}` } : { base64: bytes.toString('base64') })
  }
}

function extensionsContent (extensions: Extensions, { settings, subject, authenticatedAtMs }: Extended): Json[] {
  const { idleMs, absoluteMs, maxAgeMs, persistent, attributes } = settings
  const known: Readonly<Record<number, Json>> = {
    [EXTENSION_IDLE_LIMIT]: { name: 'idle limit', idleMs },
    [EXTENSION_ABSOLUTE_LIMIT]: { name: 'absolute limit', absoluteMs },
    [EXTENSION_MAX_AGE]: { name: 'max-age', maxAgeMs },
    [EXTENSION_PERSISTENT]: { name: 'persistent', persistent },
    [EXTENSION_COOKIE_ATTRIBUTES]: { name: 'cookie attributes', attributes },
    [EXTENSION_SUBJECT]: { name: 'subject', hash: subject?.toString('base64url') || null },
    [EXTENSION_AUTHENTICATED_AT]: { name: 'authenticated at', authenticatedAt: isoTime(authenticatedAtMs ?? null) },
    [EXTENSION_MARK]: { name: 'mark', bytes: MARK_BYTES }
  }
  return Array.from(extensions, ([type, { length }]) => ({ type, ...known[type] ?? { name: null, bytes: length } }))
}

function explain ({ reason }: Refusal, token: string, name: string): string {
  const keyId = idText(keyIdIn(token) ?? 0)
  const missing = new CookieParts(name).furtherNames(() => [token])
  if (reason === 'unknown-key') return `unknown-key: its key ${keyId} is not here`
  if (missing.length > 0) return `malformed: it has ${missing.length + 1} parts; give ${missing.join(' and ')}, too`
  if (reason === 'unsupported') return 'unsupported: it uses a feature of a later version'
  if (reason !== 'forged') return `${reason}: it is incomplete, or not a token of this version`
  return `forged: it was changed, or sealed for a name other than this (${quoted(name)}), or for another --tenant; ` +
    `its key is ${keyId}`
}

/** The fields of the JSON, one in each row; of an array, one element in each row. */
function rowsOf (json: Json, nowMs: number): string[][] {
  const textOf = (value: unknown, name: string): string => {
    if (name === 'attributes') return JSON.stringify(value)
    if (name.endsWith('At') && typeof value === 'string') {
      return `${value.replace(/T(..:..).*/, ' $1')} UTC (${fromNow(Date.parse(value), nowMs)})`
    }
    if (name.endsWith('Ms')) return duration(value as number)
    if (value === null) return '-'
    if (typeof value !== 'object') return String(value)
    return Object.entries(value as object).map(([name, value]) => `${name} ${textOf(value, name)}`).join(', ')
  }
  return Object.entries(json).flatMap(([name, value]) => {
    return (Array.isArray(value) ? value : [value]).map(value => [name, textOf(value, name)])
  })
}
