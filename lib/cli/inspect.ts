import { PROOF_SUFFIX, STAMP_SUFFIX } from '../core/format'
import { CookieParts } from '../core/parts'
import type { Refusal } from '../core/refusal'
import { keyIdIn, openToken } from '../core/token'
import { idText } from '../keyring/key-id'
import { fixedTerms, Keyring } from '../keyring/keyring'
import { schedule, stateAt } from '../keyring/schedule'
import { oneOf } from './arguments'
import type { Command } from './command'
import { proofContent, sessionContent, stampContent, type Json } from './cookie-content'
import { Failure, PROGRAM, quoted, WrongUse } from './errors'
import { keyFromEnv, KEYRING_OPTIONS, KEYRING_SOURCES, readKeys } from './keyring-access'
import { duration, moment, table } from './text'

const COOKIE_NAME = /^[^\s;=,"]{1,512}$/
const TOKEN = /^[\w-]+$/
/** More than any Cookie header. It bounds the memory for endless input. */
const MOST_INPUT_BYTES = 16 * 1024 * 1024

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
  options: ['cookie-name', 'show', ...KEYRING_OPTIONS, 'key-env'],
  async run (args, io) {
    const name = args['cookie-name']
    if (name === undefined) throw new WrongUse('inspect needs --cookie-name NAME')
    if (!COOKIE_NAME.test(name)) throw new WrongUse('--cookie-name takes the name of a cookie, such as session')
    const records = oneOf(args, [...KEYRING_SOURCES, 'key-env']) === 'key-env' ? null : await readKeys(args, io)
    const materials = records?.map(({ material }) => material) ?? [keyFromEnv(args['key-env'] as string, io)]
    if (io.isInputTTY) io.err(`${PROGRAM}: paste the cookie, press Enter, then Ctrl-D (in Windows Ctrl-Z and Enter)\n`)
    const input = await io.input(MOST_INPUT_BYTES)
    if (input.length > MOST_INPUT_BYTES) throw new Failure('stdin has more than 16 MB: give a token or a Cookie header')
    const tokens = tokensIn(input.toString().trim(), name)
    const keyring = new Keyring(fixedTerms(materials))
    const contents = tokens.map(token => open(token, name, keyring, args.show === true))
    const index = contents.findIndex(content => !('ok' in content))
    if (index === -1) {
      throw new Failure(`the cookie does not open: ${explain(contents[0] as Refusal, tokens[0] as string, name)}`)
    }
    const id = idText(keyIdIn(tokens[index] as string) as number)
    const key = schedule(records ?? []).find(({ key }) => key.id === id)
    const { data, ...rest } = contents[index] as Json
    const json = { ...rest, key: { id, state: key === undefined ? null : stateAt(key, io.now()) } }
    return {
      lines: [
        ...table(rowsOf(json, io.now())),
        ...data === undefined ? [] : JSON.stringify(data, null, 2).split('\n'),
        ...tokens.length === 1 ? [] : [`(the first that opens of ${tokens.length} cookies of this name)`]
      ],
      json: { ...json, data }
    }
  }
}

/** The tokens that the input may contain, at least one. @throws Failure */
function tokensIn (text: string, name: string): readonly string[] {
  if (text === '') throw new Failure('stdin is empty: give a token or a Cookie header')
  if (TOKEN.test(text)) return [text]
  const pairs = text.split(';').filter(pair => pair.includes('='))
    .map(pair => pair.split(/=(.*)/s).map(part => part.trim()))
  const valuesOf = (name: string): string[] => pairs.filter(pair => pair[0] === name).map(pair => pair[1] as string)
  const values = valuesOf(name)
  if (values.length === 0) throw new Failure(`none of the ${pairs.length} cookies has this name (${quoted(name)})`)
  const joined = new CookieParts(name).join(valuesOf).filter(token => token !== null)
  // If parts are missing, the first part is opened by itself, and the message names the others.
  const tokens = (joined.length > 0 ? joined : values).filter(token => token !== '')
  if (tokens.length === 0) throw new Failure(`the cookie of this name (${quoted(name)}) is empty: it was cleared`)
  return tokens
}

function open (token: string, name: string, keyring: Keyring, show: boolean): Json | Refusal {
  const use = name.endsWith(STAMP_SUFFIX) ? 'stamp' : name.endsWith(PROOF_SUFFIX) ? 'proof' : 'cookie'
  const cookies = new CookieParts(name).found(token)
  // The keys open at any time.
  const opened = openToken(token, keyring.tokenKeys(use, name), cookies, 0)
  if ('ok' in opened) return opened
  const length = opened.plaintextBytes
  if (use === 'stamp') return stampContent(length, token.length)
  if (use === 'proof') return proofContent(length, token.length)
  return sessionContent(length, token.length, cookies as number, show)
}

function explain ({ reason }: Refusal, token: string, name: string): string {
  const keyId = idText(keyIdIn(token) ?? 0)
  const missing = new CookieParts(name).further(() => [token])
  if (reason === 'unknown-key') return `unknown-key: its key ${keyId} is not here`
  if (missing.length > 0) return `malformed: it has ${missing.length + 1} parts; give ${missing.join(' and ')}, too`
  if (reason === 'unsupported') return 'unsupported: it uses a feature of a later version'
  if (reason !== 'forged') return `${reason}: it is incomplete, or not a token of this version`
  return `forged: it was changed, or sealed for a name other than this (${quoted(name)}); its key is ${keyId}`
}

/** The fields of the JSON, one in each row; of an array, one element in each row. */
function rowsOf (json: Json, nowMs: number): string[][] {
  const textOf = (value: unknown, name: string): string => {
    if (name === 'attributes') return JSON.stringify(value)
    if (name.endsWith('At') && typeof value === 'string') return moment(Date.parse(value), nowMs)
    if (name.endsWith('Ms')) return duration(value as number)
    if (value === null) return '-'
    if (typeof value !== 'object') return String(value)
    return Object.entries(value as object).map(([name, value]) => `${name} ${textOf(value, name)}`).join(', ')
  }
  return Object.entries(json).flatMap(([name, value]) => {
    return (Array.isArray(value) ? value : [value]).map(value => [name, textOf(value, name)])
  })
}
