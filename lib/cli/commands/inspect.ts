import { STAMP_SUFFIX } from '../../core/format'
import { CookieParts } from '../../core/parts'
import { keyIdIn, type TokenKeys } from '../../core/token'
import type { Refusal, RefusalReason } from '../../core/refusal'
import { idText, keyIdText } from '../../keyring/key-id'
import { fixedTerms, Keyring } from '../../keyring/keyring'
import type { Arguments } from '../arguments'
import type { Command, Io, Result } from '../command'
import { findCookies, textOf } from '../cookie-input'
import { moment } from '../dates'
import { keyFromEnv } from '../environment'
import { Failure, PROGRAM, quoted, WrongUse } from '../failure'
import { tellSession, tellStamp, type Opened } from '../inspection'
import { livesOf, type Life } from '../lives'
import { JSON_OPTION, KEY_ENV_OPTION, RING_OPTIONS, RING_USAGE } from '../options'
import { keysIn, oneOf, RING_SOURCES, withRing } from '../ring-store'
import { openSealedSession, openStamp } from '../sealed-content'

const NAME_OPTION = 'cookie-name'
const NAME = /^[^\s;=,"]{1,512}$/

/** Far more than any header or table of cookies has. A stream without an end must not fill the memory. */
const MOST_INPUT_BYTES = 16 * 1024 * 1024

const HINT = 'paste the cookie or its whole header line, press Enter, then Ctrl-D (in Windows Ctrl-Z and Enter)'

export const inspect: Command = {
  name: 'inspect',
  summary: 'open a cookie that is read from stdin, and say what is in it',
  usage: `--cookie-name NAME [--show]${RING_USAGE.replace(')', ' | --key-env NAME)')}`,
  about: `Opens a cookie that is read from stdin, and tells its times, its key, and how
its bytes are spent; the values only with --show. It takes the bare value,
name=value, lines "Cookie: ..." and "Set-Cookie: ...", or rows of a browser's
developer tools, of which it picks the cookie of that name. An argument would
stay in the shell's history, so there is none.

  npx fastify-sealed-session inspect --cookie-name session --keyring keys.json

A key that is expired or revoked is used all the same, and it says so. The idle
and absolute limits are your server's, so whether the session is over is not
told. Where the cookie does not open, it says why, with exit status 1. A cookie
that was sealed for one name opens under no other. Of a session that is split,
"session.1" and "session.2" must be read with "session". For "session.t" it
expects the stamp that renews "session".`,
  options: [
    { name: NAME_OPTION, value: 'NAME', about: 'the cookie\'s name, with its prefix if it has one, such as\nsession or __Host-session' },
    { name: 'show', about: 'show the values of the session' },
    ...RING_OPTIONS,
    { name: KEY_ENV_OPTION, value: 'NAME', about: 'instead of a ring, the key in this environment variable' },
    JSON_OPTION
  ],
  async run (args, io) {
    const name = args.text(NAME_OPTION)
    if (name === undefined) throw new WrongUse('inspect needs --cookie-name NAME: a cookie opens under its own name only')
    if (!NAME.test(name)) throw new WrongUse('--cookie-name takes the name of a cookie, such as session')
    const keys = await keysToOpenWith(args, io)
    if (io.isInputTTY) io.err(`${PROGRAM}: ${HINT}\n`)
    const input = await io.input(MOST_INPUT_BYTES)
    if (input.length > MOST_INPUT_BYTES) throw new Failure(`more than ${MOST_INPUT_BYTES / 1024 / 1024} MB came in on stdin: give a cookie, or a Cookie header`)
    const tokens = findTokens(textOf(input), name)
    const opened = firstThatOpens(tokens, token => open(token, name, keys, io.now(), args.has('show')))
    if ('ok' in opened) throw new Failure(`the cookie does not open: ${whyNot(opened.reason, tokens[0] as string, name)}`)
    return tokens.length === 1 ? opened : { ...opened, lines: [...opened.lines, `(the first that opens of ${tokens.length} cookies of this name)`] }
  }
}

/** All keys that there are, each of which opens whatever its state; and what to say of each. */
interface Keys {
  readonly keyring: Keyring
  readonly about: (id: string, nowMs: number) => Opened['key']
}

async function keysToOpenWith (args: Arguments, io: Io): Promise<Keys> {
  if (oneOf(args, [...RING_SOURCES, KEY_ENV_OPTION]) === KEY_ENV_OPTION) {
    const name = args.text(KEY_ENV_OPTION) as string
    const material = keyFromEnv(name, io)
    const id = keyIdText(material)
    return { keyring: new Keyring(fixedTerms([material])), about: () => ({ id, state: null, about: `${id}, the one in ${name}` }) }
  }
  const keys = await withRing(args, io, keysIn)
  return {
    keyring: new Keyring(fixedTerms(keys.map(({ material }) => material))),
    about: (id, nowMs) => {
      const life = livesOf(keys, nowMs).find(life => life.id === id) as Life
      return { id, state: life.state, about: `${id}, ${aboutState(life, nowMs)}` }
    }
  }
}

function aboutState ({ state, opensUntilMs }: Life, nowMs: number): string {
  const at = moment(opensUntilMs === Infinity ? nowMs : opensUntilMs, nowMs)
  switch (state) {
    case 'pending': return 'pending: it opens, and does not seal yet'
    case 'active': return 'active: it seals'
    case 'retired': return `retired: it opens${opensUntilMs === Infinity ? '' : ` until ${at}`}`
    case 'expired': return `expired at ${at}: servers do not open it`
    case 'revoked': return `revoked at ${at}: servers do not open it`
  }
}

function findTokens (text: string, name: string): readonly string[] {
  if (text === '') throw new Failure('nothing came in on stdin: pipe the cookie in, or paste it')
  const { values, others, isBare } = findCookies(text, name)
  const joined = isBare ? values : new CookieParts(name).join(part => findCookies(text, part).values)
  const whole = joined.filter(token => token !== null)
  // What cannot lie in cookies so may be a token by itself, or says what it lacks.
  const tokens = (whole.length > 0 ? whole : values).filter(token => token !== '')
  if (values.length === 0) throw new Failure(`there is no cookie of this name (${quoted(name)}) in what was read; of other names there are ${others}`)
  if (tokens.length === 0) throw new Failure(`the cookie of this name (${quoted(name)}) is empty: it was cleared`)
  return tokens
}

/** The first result, or what the first of the tokens is refused for. */
function firstThatOpens (tokens: readonly string[], open: (token: string) => Result | Refusal): Result | Refusal {
  let refusal: Refusal | null = null
  for (const token of tokens) {
    const result = open(token)
    if (!('ok' in result)) return result
    refusal ??= result
  }
  return refusal as Refusal
}

function open (token: string, name: string, { keyring, about }: Keys, nowMs: number, show: boolean): Result | Refusal {
  const opened = (): Opened => ({ characters: token.length, key: about(idText(keyIdIn(token) as number), nowMs), nowMs })
  const keysFor = (use: 'cookie' | 'stamp'): TokenKeys => keyring.tokenKeys(use, name)
  if (name.endsWith(STAMP_SUFFIX)) {
    const stamp = openStamp(token, name, keysFor('stamp'), nowMs)
    return 'ok' in stamp ? stamp : tellStamp(stamp, opened())
  }
  const session = openSealedSession(token, name, keysFor('cookie'), nowMs)
  return 'ok' in session ? session : tellSession(session, opened(), show)
}

const REASONS: Readonly<Partial<Record<RefusalReason, string>>> = {
  malformed: 'it is no token of this package, or was cut short',
  'unknown-version': 'it is no token of this package, or of a later version',
  unsupported: 'it uses a feature that this release does not know'
}

function whyNot (reason: RefusalReason, token: string, name: string): string {
  const id = idText(keyIdIn(token) ?? 0)
  if (reason === 'unknown-key') return `unknown-key: it names the key ${id}, which is not here`
  const further = new CookieParts(name).further(() => [token])
  if (further.length > 0) {
    return `malformed: it is the first of ${further.length + 1} parts; ${further.join(' and ')} must be read with it`
  }
  if (reason === 'forged') return `forged: it was altered, or sealed for another cookie name than this (${quoted(name)}); it names the key ${id}, which is here`
  return `${reason}: ${REASONS[reason] as string}`
}
