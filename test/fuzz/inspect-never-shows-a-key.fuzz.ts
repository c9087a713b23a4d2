import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { run } from '../../lib/cli/run'
import { CookieParts } from '../../lib/core/parts'
import { writeKeyring } from '../../lib/keyring/document'
import { keyOf } from '../../lib/keyring/lifecycle'
import { Operator } from '../cli/operator'
import { read, type Reader } from './format'
import { anyText, bytes, KEYS, NOW_MS, seldom, sessionPlaintext, stampPlaintext, tokenOf, withEdits } from './inputs'
import { property, testAll } from './properties'

const DAY_MS = 86_400_000
/** inspect tells times and does not judge them, and needs no serializer. */
const READER: Reader = {
  keys: KEYS, cookieName: 'session', nowMs: null, idleMs: 0, absoluteMs: 0, customData: 'unread'
}

const operator = new Operator(t)
operator.nowMs = NOW_MS
operator.env = {
  SESSION_KEY: KEYS[0]?.toString('base64url') as string,
  EMPTY: '',
  BROKEN: `${KEYS[1]?.toString('hex')}0`
}
const RING = KEYS.map((key, index) => keyOf(key, NOW_MS - (index + 1) * DAY_MS))
operator.write(...RING)
mkdirSync(operator.path('folder'))
writeFileSync(operator.path('broken.json'), writeKeyring(RING).slice(0, -9), { mode: 0o600 })

const HEX = KEYS.map(key => key.toString('hex'))
const SPELLINGS = [
  ...HEX, ...HEX.map(digits => digits.toUpperCase()), ...KEYS.map(key => key.toString('base64url')),
  ...KEYS.map(key => key.toString('base64'))
]

interface Ran {
  readonly status: number
  readonly out: string
  readonly err: string
}

/** Runs it, and checks what holds for whatever was typed and read. */
async function inspect (args: readonly string[], input: Buffer): Promise<Ran> {
  const texts = { out: '', err: '' }
  const status = await run(['inspect', ...args], operator.io({
    input: async () => input.toString(), out: text => { texts.out += text }, err: text => { texts.err += text }
  }))
  const { out, err } = texts
  assert.ok([0, 1, 2].includes(status))
  assert.doesNotMatch(out + err, /[^\n\t\P{C}]|[\u2028\u2029]/u, 'no character steers a terminal')
  for (const spelling of SPELLINGS) assert.ok(!(out + err).includes(spelling), 'it shows a key')
  if (status === 0) {
    assert.equal(err, '')
    return { status, out, err }
  }
  assert.equal(out, '')
  assert.match(err, /^fastify-sealed-session: [^\n]+\n$/)
  assert.doesNotMatch(err, /\bat .*:\d+:\d+|TypeError|RangeError|undefined|\[object/)
  if (status === 2) assert.match(err, /; see "fastify-sealed-session inspect --help"\n$/)
  return { status, out, err }
}

const token = tokenOf(sessionPlaintext).map(({ token }) => token)
const stamp = tokenOf(stampPlaintext, 'session.t', 'stamp').map(({ token }) => token)
const anyToken = seldom(30, token, fc.oneof(stamp, withEdits(token)))

/** The cookies of a token as they lie in a header. */
function inCookies (token: string): string[] {
  const parts = new CookieParts('session')
  if (parts.partsOf(token) === null) return [`session=${token}`]
  return parts.cut(token).map((part, index) => `${parts.names[index]}=${part}`)
}

const pasted: fc.Arbitrary<string> = fc.oneof(
  anyToken,
  anyToken.map(token => inCookies(token).join('; ')),
  anyToken.map(token => `Cookie: a=b; ${inCookies(token).join('; ')}; session.t=x`),
  anyToken.map(token => inCookies(token).map(pair => `Set-Cookie: ${pair}; Path=/; HttpOnly`).join('\r\n')),
  anyToken.map(token => inCookies(token).map(pair => `${pair.replace('=', '\t')}\tlocalhost\t/`).join('\n')),
  stamp.map(token => `session.t=${token}`),
  anyText
)

const input: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: pasted.map(text => Buffer.from(text)) },
  { weight: 2, arbitrary: withEdits(pasted).map(text => Buffer.from(text)) },
  { weight: 1, arbitrary: pasted.map(text => Buffer.from(`\ufeff${text}\r\n`, 'utf16le')) },
  { weight: 1, arbitrary: bytes(0, 300) }
)

/** No URL of a Redis among them: nothing is to be connected to. */
const word = fc.oneof(
  fc.constantFrom('session', 'session.t', 'session.1', 'keys.json', 'broken.json', 'folder', 'nothing.json'),
  fc.constantFrom('SESSION_KEY', 'EMPTY', 'BROKEN', 'http://a', 'file:///', '', '-', '--', 'a b'),
  fc.constantFrom(...SPELLINGS),
  token,
  anyText.filter(text => !/redis|^[/.]/i.test(text))
)
const option = fc.constantFrom(
  '--cookie-name', '--keyring', '--redis', '--redis-env', '--redis-key', '--others-may-read', '--key-env', '--show',
  '--json', '-h', '--help', '--unknown', '-s')
const argument = fc.oneof(
  fc.tuple(option, word).map(pair => pair),
  option.map(name => [name]),
  fc.tuple(option, word).map(([name, value]) => [`${name}=${value}`]),
  word.map(text => [text])
)
const args = fc.array(argument, { maxLength: 5 }).map(all => all.flat())
const goodArgs = fc.tuple(
  fc.constantFrom(['--cookie-name', 'session'], ['--cookie-name', 'session.t'], ['--cookie-name=other']),
  fc.constantFrom(['--keyring', 'keys.json', '--others-may-read'], ['--keyring=keys.json'], ['--key-env=SESSION_KEY']),
  fc.constantFrom([], ['--show']),
  fc.constantFrom([], ['--json'])
).map(all => all.flat())

const anyUse = fc.tuple(args, input)
const goodUse = fc.tuple(goodArgs, input)
const maybeShown = fc.tuple(anyToken, fc.boolean())

testAll(
  property('inspect with any arguments and input ends as documented, and shows no key', anyUse, 500, async use => {
    await inspect(...use)
  }),

  property('inspect with any input says what it is, or in one line why not', goodUse, 700, async ([args, input]) => {
    const { status, out } = await inspect(args, input)
    assert.notEqual(status, 2)
    if (status === 0 && args.includes('--json')) assert.match(JSON.parse(out).kind, /^(session|stamp)$/)
  }),

  property('inspect opens what the specification opens, and shows values where told to', maybeShown, 700, async use => {
    const [token, show] = use
    const args = ['--cookie-name', 'session', '--keyring', 'keys.json', '--json', ...show ? ['--show'] : []]
    const { status, out, err } = await inspect(args, Buffer.from(token))
    const expected = read(token, READER)
    // What is not one word is looked through for cookies.
    if (!/^[\w-]+$/.test(token)) return assert.equal(status, 1)
    assert.equal(status, typeof expected === 'string' ? 1 : 0, err)
    if (typeof expected === 'string') return
    const { session, createdAt, renewedAt, data, customSerializer } = JSON.parse(out)
    assert.equal(session, expected.id)
    assert.deepEqual([Date.parse(createdAt), Date.parse(renewedAt)], [expected.createdAtMs, expected.renewedAtMs])
    if (!customSerializer) assert.deepEqual(data, show ? JSON.parse(JSON.stringify(expected.json)) : undefined)
  })
)
