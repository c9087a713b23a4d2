import t, { type Test } from 'tap'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  EXTENSION_ABSOLUTE_LIMIT, EXTENSION_AUTHENTICATED_AT, EXTENSION_COOKIE_ATTRIBUTES, EXTENSION_IDLE_LIMIT, EXTENSION_MARK,
  EXTENSION_MAX_AGE, EXTENSION_PERSISTENT, EXTENSION_SUBJECT
} from '../../lib/core/format'
import { writeProof } from '../../lib/bound/tokens'
import { writeEnvelope, type Envelope } from '../../lib/core/envelope'
import { CookieParts } from '../../lib/core/parts'
import { writeStamp } from '../../lib/core/stamp'
import { plaintext, sealToken } from '../../lib/core/token'
import { fixedTerms, Keyring } from '../../lib/keyring/keyring'
import { TenantKeys } from '../../lib/keyring/tenant-keys'
import type { KeyRecord } from '../../lib/keyring/document'
import { DAY_MS } from '../../lib/time'
import { KEY, OTHER_KEY } from '../helpers/app'
import { keysFor } from '../helpers/ring'
import { Operator, RING, writeEveryState } from './operator'

/** What steers a terminal, the last of it outside of the first plane; and what does not. */
const WILD = '\u001b[2J\u009b2J\u202e\u2028\u{e0041} \u{1f510}'
const ID = '00112233445566778899aabbccddeeff'
const INSPECT = ['inspect', '--cookie-name', 'session']
const WITH_KEY = [...INSPECT, '--key-env', 'SESSION_KEY']

function seal (operator: Operator, { material }: Pick<KeyRecord, 'material'>, more: Partial<Envelope> = {}, padTo = 0, parts = 1): string {
  const envelope: Envelope = {
    id: Buffer.from(ID, 'hex'),
    createdAtMs: operator.nowMs - 2 * DAY_MS,
    renewedAtMs: operator.nowMs - DAY_MS,
    extensions: new Map(),
    customSerializer: false,
    data: '{"user":"alice","theme":"dark"}',
    ...more
  }
  return sealToken(writeEnvelope(envelope, padTo, plaintext), keysFor('session', 'cookie', material).sealing(0), parts)
}

function stamp (operator: Operator, checkedAtMs: number): string {
  const length = writeStamp({ id: Buffer.from(ID, 'hex'), renewedAtMs: operator.nowMs - DAY_MS, checkedAtMs }, plaintext)
  return sealToken(length, keysFor('session.t', 'stamp').sealing(0), 1)
}

/** With KEY in SESSION_KEY. */
function withKey (t: Test, input = ''): Operator {
  const operator = new Operator(t)
  operator.secrets.push(KEY)
  operator.env = { SESSION_KEY: KEY.toString('base64url') }
  operator.input = input
  return operator
}

t.test('inspect has a dash for the state of a key that is in no keyring', async t => {
  const operator = withKey(t)
  operator.input = seal(operator, { material: KEY })
  t.match(await operator.do(...WITH_KEY), /key +id [0-9a-f]{8}, state -\n/)
})

t.test('inspect opens a cookie of a tenant, with its name', async t => {
  const operator = withKey(t)
  const keys = new TenantKeys(new Keyring(fixedTerms([KEY])), 'acme').tokenKeys('cookie', 'session')
  const envelope = { id: Buffer.from(ID, 'hex'), createdAtMs: 0, renewedAtMs: 0, extensions: new Map(), customSerializer: false, data: '{"a":1}' }
  operator.input = sealToken(writeEnvelope(envelope, 0, plaintext), keys.sealing(0), 1)
  t.match(await operator.do(...WITH_KEY, '--tenant', 'acme', '--show'), /"a": 1/)
  t.match(await operator.run(...WITH_KEY, '--tenant', 'globex'), { status: 1, err: /forged: .*--tenant/ })
  t.match(await operator.run(...WITH_KEY), { status: 1, err: /forged: .*--tenant/ })
  t.match(await operator.run(...WITH_KEY, '--tenant', 'a b'), { status: 2, err: /--tenant takes/ })
})

t.test('inspect prints times, key and sizes, and no values', async t => {
  const operator = new Operator(t)
  const { active } = writeEveryState(operator)
  operator.input = seal(operator, active)
  t.equal(await operator.do(...INSPECT, ...RING), `kind              session
session           ${ID}
createdAt         2026-02-27 12:00 UTC (2 days ago)
renewedAt         2026-02-28 12:00 UTC (24 h ago)
padded            false
customSerializer  false
cookies           1
sizes             token 144, plaintext 62, head 31, extensions 0, data 31, padding 0
keys              2
key               id ${active.id}, state active
`)
})

t.test('inspect --show prints the values', async t => {
  const operator = withKey(t)
  operator.input = seal(operator, { material: KEY })
  t.match(await operator.do(...WITH_KEY, '--show'), /\n\{\n {2}"user": "alice",\n {2}"theme": "dark"\n\}\n$/)
})

t.test('inspect escapes control characters that users wrote into values', async t => {
  const operator = withKey(t)
  operator.input = seal(operator, { material: KEY }, { data: JSON.stringify({ a: WILD }) })
  t.match(await operator.do(...WITH_KEY, '--show'), '"a": "\\u001b[2J\\u009b2J\\u202e\\u2028\\udb40\\udc41 \u{1f510}"')
  const json = await operator.do(...WITH_KEY, '--show', '--json')
  t.match(json, '"a": "\\u001b[2J\\u009b2J\\u202e\\u2028\\udb40\\udc41 \u{1f510}"')
  t.match(JSON.parse(json), { data: { a: WILD } })
})

t.test('inspect opens a cookie with a key in any state, and prints the state', async t => {
  const operator = new Operator(t)
  const keys = writeEveryState(operator)
  for (const state of ['pending', 'active', 'retired', 'expired', 'revoked'] as const) {
    operator.input = seal(operator, keys[state])
    t.match(await operator.do(...INSPECT, ...RING), `id ${keys[state].id}, state ${state}\n`)
    t.match(await operator.ask(...INSPECT, ...RING), { key: { id: keys[state].id, state } })
  }
})

t.test('inspect prints extensions, padding and flags', async t => {
  const operator = withKey(t)
  const days = (count: number): Buffer => {
    const value = Buffer.alloc(6)
    value.writeUIntBE(count * DAY_MS, 0, 6)
    return value
  }
  const extensions = new Map([[EXTENSION_IDLE_LIMIT, days(30)], [EXTENSION_ABSOLUTE_LIMIT, days(90)], [EXTENSION_MAX_AGE, days(2)], [EXTENSION_COOKIE_ATTRIBUTES, Buffer.from('{"path":"/app"}')], [77, Buffer.alloc(3)]])
  operator.input = seal(operator, { material: KEY }, { extensions }, 128)
  t.match(await operator.do(...WITH_KEY), `plaintext 128, head 31, extensions 51, data 31, padding 15
extensions        type 1, name idle limit, idleMs 30 days
extensions        type 128, name absolute limit, absoluteMs 90 days
extensions        type 2, name max-age, maxAgeMs 2 days
extensions        type 4, name cookie attributes, attributes {"path":"/app"}
extensions        type 77, name -, bytes 3
`)
  t.match(await operator.ask(...WITH_KEY), {
    padded: true,
    extensions: [
      { type: 1, name: 'idle limit', idleMs: 30 * DAY_MS },
      { type: 128, name: 'absolute limit', absoluteMs: 90 * DAY_MS },
      { type: 2, name: 'max-age', maxAgeMs: 2 * DAY_MS },
      { type: 4, name: 'cookie attributes', attributes: { path: '/app' } },
      { type: 77, name: null, bytes: 3 }
    ]
  })
})

t.test('inspect prints the subject hash, when the user logged in, and how long the cookie is kept', async t => {
  const operator = withKey(t)
  const since = Buffer.alloc(6)
  since.writeUIntBE(operator.nowMs - 2 * DAY_MS, 0, 6)
  const inspected = async (...extensions: Array<[number, Buffer]>): Promise<string> => {
    operator.input = seal(operator, { material: KEY }, { extensions: new Map(extensions) })
    return await operator.do(...WITH_KEY)
  }
  t.match(await inspected([EXTENSION_PERSISTENT, Buffer.from([1])], [EXTENSION_SUBJECT, Buffer.alloc(16, 7)], [EXTENSION_AUTHENTICATED_AT, since]), `
extensions        type 3, name persistent, persistent true
extensions        type 5, name subject, hash BwcHBwcHBwcHBwcHBwcHBw
extensions        type 6, name authenticated at, authenticatedAt 2026-02-27 12:00 UTC (2 days ago)
`)
  t.match(await operator.ask(...WITH_KEY), {
    extensions: [
      { type: 3, name: 'persistent', persistent: true },
      { type: 5, name: 'subject', hash: 'BwcHBwcHBwcHBwcHBwcHBw' },
      { type: 6, name: 'authenticated at', authenticatedAt: '2026-02-27T12:00:00.000Z' }
    ]
  })
  t.match(await inspected([EXTENSION_PERSISTENT, Buffer.from([0])], [EXTENSION_SUBJECT, Buffer.alloc(0)]), `
extensions        type 3, name persistent, persistent false
extensions        type 5, name subject, hash -
`)
})

t.test('inspect joins a split session', async t => {
  const operator = withKey(t)
  const data = JSON.stringify({ text: 'x'.repeat(4000) })
  const token = seal(operator, { material: KEY }, { data }, 0, 2)
  const [first, second] = new CookieParts('session').cut(token) as [string, string]
  for (const input of [`session=${first}; other=x; session.1=${second}`, `session.1=${second};session=${first}`, token]) {
    operator.input = input
    t.match(await operator.do(...WITH_KEY), /cookies +2\n/)
    t.match(await operator.ask(...WITH_KEY), { cookies: 2, sizes: { token: token.length } })
  }
  for (const input of [first, `session=${first}`, `session=${first}; session.1=`]) {
    operator.input = input
    t.match(await operator.run(...WITH_KEY), { status: 1, err: /malformed: it has 2 parts; give session\.1, too/ })
  }
})

t.test('inspect --json prints the same, and the data only with --show', async t => {
  const operator = withKey(t)
  operator.input = seal(operator, { material: KEY })
  const told = {
    kind: 'session',
    session: ID,
    createdAt: '2026-02-27T12:00:00.000Z',
    renewedAt: '2026-02-28T12:00:00.000Z',
    padded: false,
    customSerializer: false,
    cookies: 1,
    sizes: { token: 144, plaintext: 62, head: 31, extensions: 0, data: 31, padding: 0 },
    extensions: [],
    keys: 2
  }
  const { key, ...rest } = await operator.ask<{ key: { state: unknown } }>(...WITH_KEY)
  t.equal(key.state, null)
  t.strictSame(rest, told)
  t.match(await operator.ask(...WITH_KEY, '--show'), { ...told, data: { user: 'alice', theme: 'dark' } })
})

t.test('inspect prints data of a custom serializer as text, or as base64 if it is not text', async t => {
  const operator = withKey(t)
  operator.input = seal(operator, { material: KEY }, { customSerializer: true, data: 'user=alice' })
  t.match(await operator.do(...WITH_KEY), /customSerializer {2}true\n[^]*data 10[^]*keys +-\n/)
  t.match(await operator.do(...WITH_KEY, '--show'), /\n\{\n {2}"text": "user=alice"\n\}\n$/)
  t.match(await operator.ask(...WITH_KEY, '--show'), { keys: null, data: { text: 'user=alice' } })
  operator.input = seal(operator, { material: KEY }, { customSerializer: true, data: Buffer.from([0xff, 0xfe, 0x00]) })
  t.match(await operator.do(...WITH_KEY, '--show'), /"base64": "\/\/4A"\n\}\n$/)
  t.match(await operator.ask(...WITH_KEY, '--show'), { data: { base64: '//4A' } })
})

t.test('inspect prints a stamp if the name is that of a stamp', async t => {
  const operator = withKey(t)
  const args = ['inspect', '--cookie-name', 'session.t', '--key-env', 'SESSION_KEY']
  operator.input = `session=x; session.t=${stamp(operator, 0)}`
  t.match(await operator.do(...args), /^kind +stamp\nsession +00112233.*\nrenewedAt +2026-02-28 12:00 UTC \(24 h ago\)\ncheckedAt +-\nsizes +token 99\nkey .*\n$/)
  t.match(await operator.ask(...args), { kind: 'stamp', session: ID, renewedAt: '2026-02-28T12:00:00.000Z', checkedAt: null, sizes: { token: 99 } })
  operator.input = stamp(operator, operator.nowMs - 60_000)
  t.match(await operator.do(...args), /checkedAt {2}2026-03-01 11:59 UTC \(1 min ago\)\n/)
  t.match(await operator.ask(...args), { checkedAt: '2026-03-01T11:59:00.000Z' })
  t.equal(await operator.do(...args, '--show'), await operator.do(...args))
  operator.input = seal(operator, { material: KEY })
  t.match(await operator.run(...args), { status: 1, err: /forged/ })
  operator.input = sealToken(10, keysFor('session.t', 'stamp').sealing(0), 1)
  t.match(await operator.run(...args), { status: 1, err: /malformed/ })
})

t.test('inspect reads a bare token or the value of a Cookie header', async t => {
  const operator = withKey(t)
  const token = seal(operator, { material: KEY })
  const inputs = [
    token, `${token}\n`, `\ufeff${token}\r\n`, `session=${token}`, `a=b; session=${token}; c=d\n`, ` a=b ; session= ${token}`,
    `flag; session=${token}`, `session=; session=${token}`
  ]
  for (const input of inputs) {
    operator.input = input
    t.match(await operator.do(...WITH_KEY), ID, JSON.stringify(input))
  }
})

t.test('inspect reads no Set-Cookie lines, no rows of developer tools and no JSON', async t => {
  const operator = withKey(t)
  const token = seal(operator, { material: KEY })
  for (const input of [`Set-Cookie: session=${token}; Path=/`, `session\t${token}\tlocalhost`, `{"session":"${token}"}`]) {
    operator.input = input
    const { status, err } = await operator.run(...WITH_KEY)
    t.match({ status, err }, { status: 1, err: /no cookie has this name/ })
    t.notMatch(err, token.slice(0, 20))
  }
})

t.test('of several cookies of the name, inspect prints the first that opens, and that there are more', async t => {
  const operator = withKey(t)
  operator.input = `session=tossed; session=${seal(operator, { material: KEY })}`
  t.match(await operator.do(...WITH_KEY), /\(the first that opens of 2 cookies of this name\)\n$/)
  operator.input = 'session=tossed; session=in'
  t.match(await operator.run(...WITH_KEY), { status: 1, err: /malformed/ })
})

t.test('inspect prints one line with the reason if the cookie does not open', async t => {
  const operator = withKey(t)
  const token = seal(operator, { material: KEY })
  const unknown = seal(operator, { material: OTHER_KEY })
  const raw = Buffer.from(token, 'base64url')
  const ownKey = raw.toString('hex', 2, 6)
  const laterVersion = Buffer.concat([Buffer.from([2]), raw.subarray(1)]).toString('base64url')
  const altered = Buffer.concat([raw.subarray(0, -1), Buffer.from([(raw[raw.length - 1] as number) ^ 1])]).toString('base64url')
  for (const [input, reason] of [
    ['', 'stdin is empty'],
    ['other=x; another=y', 'no cookie has this name \\("session"\\)'],
    ['what is this', 'no cookie has this name'],
    ['session=; Path=/', 'is empty: it was cleared'],
    ['AQFqy3ot', 'malformed'],
    ['abcd', 'unknown-version'],
    [token.slice(0, -4), 'forged'],
    [`session=${token}%3D`, 'malformed'],
    ['A'.repeat(5000), 'unknown-version'],
    ['A'.repeat(12264), 'unknown-version'],
    ['A'.repeat(12280), 'malformed'],
    [laterVersion, 'unknown-version'],
    [altered, `forged: .*"session".*${ownKey}`],
    [unknown, `unknown-key: its key ${Buffer.from(unknown, 'base64url').toString('hex', 2, 6)}`],
    [seal(operator, { material: KEY }, { extensions: new Map([[200, Buffer.alloc(1)]]) }), 'unsupported'],
    [seal(operator, { material: KEY }, { extensions: new Map([[EXTENSION_IDLE_LIMIT, Buffer.alloc(1)]]) }), 'malformed'],
    [seal(operator, { material: KEY }, { extensions: new Map([[EXTENSION_COOKIE_ATTRIBUTES, Buffer.from('[]')]]) }), 'malformed'],
    [seal(operator, { material: KEY }, { extensions: new Map([[EXTENSION_PERSISTENT, Buffer.from([2])]]) }), 'malformed'],
    ...[EXTENSION_ABSOLUTE_LIMIT, EXTENSION_MAX_AGE, EXTENSION_PERSISTENT, EXTENSION_SUBJECT, EXTENSION_AUTHENTICATED_AT, EXTENSION_MARK].map(type => [seal(operator, { material: KEY }, { extensions: new Map([[type, Buffer.alloc(3)]]) }), 'malformed'] as const),
    [seal(operator, { material: KEY }, { data: 'null' }), 'malformed'],
    [seal(operator, { material: KEY }, { data: '{' }), 'malformed'],
    [seal(operator, { material: KEY }, { data: Buffer.from([0x22, 0xff, 0x22]) }), 'malformed']
  ] as const) {
    operator.input = input
    t.match(await operator.run(...WITH_KEY), { status: 1, out: '', err: new RegExp(`^fastify-sealed-session: .*${reason}.*\n$`) }, reason)
  }
})

t.test('inspect does not print a cookie that was given in place of the name', async t => {
  const operator = withKey(t)
  const token = seal(operator, { material: KEY })
  for (const input of [token, 'a=b', `${token}=`]) {
    operator.input = input
    const { status, err } = await operator.run('inspect', '--cookie-name', token, '--key-env', 'SESSION_KEY')
    t.match({ status, err }, { status: 1, err: /\(text of 144 characters\)/ })
    t.notMatch(err, token.slice(0, 20))
  }
})

t.test('inspect shows when a device proved its key, and never a mark, which is the pass of the session', async t => {
  const operator = withKey(t)
  const mark = Buffer.alloc(16, 0x5a)
  const leaks = new RegExp([mark.toString('hex'), mark.toString('base64url'), mark.toString('base64')].join('|'))
  const proofKey = keysFor('session.d', 'proof').sealing(0)
  operator.input = sealToken(writeProof({ mark, provenAtMs: operator.nowMs - DAY_MS }, plaintext), proofKey, 1)
  const proof = await operator.do('inspect', '--cookie-name', 'session.d', '--key-env', 'SESSION_KEY')
  t.match(proof, /^kind +proof\nprovenAt +\S+ \S+ UTC \(.*ago\)\nsizes +token 91\n/)
  t.notMatch(proof, leaks)
  operator.input = seal(operator, { material: KEY }, { extensions: new Map([[EXTENSION_MARK, mark]]) })
  for (const more of [[], ['--json'], ['--show']]) {
    const session = await operator.do(...WITH_KEY, ...more)
    t.match(session, more.includes('--json') ? /"type": ?129,\s*"name": ?"mark",\s*"bytes": ?16/ : /extensions +type 129, name mark, bytes 16/)
    t.notMatch(session, leaks)
  }
  operator.input = sealToken(15, proofKey, 1)
  t.match(await operator.run('inspect', '--cookie-name', 'session.d', '--key-env', 'SESSION_KEY'), { status: 1, err: /malformed/ })
})

t.test('inspect refuses a cookie that was sealed for another name, and asks for the name', async t => {
  const operator = withKey(t)
  operator.input = seal(operator, { material: KEY })
  t.match(await operator.run('inspect', '--cookie-name', 'sid', '--key-env', 'SESSION_KEY'), { status: 1, err: /forged: .*other than this \("sid"\)/ })
})

t.test('inspect opens the vectors of the format as specified', async t => {
  const vectors = (name: string): Array<Record<string, string>> => JSON.parse(readFileSync(join(__dirname, '../vectors', name), 'utf8')).vectors
  const keys = new Map(vectors('keys.json').map(({ name, key }) => [name, key]))
  const operator = new Operator(t)
  for (const { use, cookieName, key, token } of vectors('valid.json')) {
    // No cookie has these.
    if (['device', 'challenge', 'purpose', 'hand-over'].includes(use as string)) continue
    operator.env = { SESSION_KEY: keys.get(key) as string }
    operator.input = token as string
    const { kind } = await operator.ask<{ kind: string }>('inspect', '--cookie-name', cookieName as string, '--key-env', 'SESSION_KEY')
    t.equal(kind, use === 'cookie' ? 'session' : use)
  }
})

t.test('at a terminal, inspect says on stderr what it waits for', async t => {
  const operator = withKey(t)
  operator.input = seal(operator, { material: KEY })
  operator.world = { isInputTTY: true }
  t.match(await operator.run(...WITH_KEY), { status: 0, out: /^kind/, err: /^fastify-sealed-session: paste the cookie.*\n$/ })
})

t.test('inspect needs a name and exactly one source of keys', async t => {
  const operator = withKey(t)
  for (const args of [['inspect', '--key-env', 'SESSION_KEY'], INSPECT, [...WITH_KEY, ...RING], ['inspect', '--cookie-name', 'a b', ...RING]]) {
    t.match(await operator.run(...args), { status: 2, out: '', err: /^fastify-sealed-session: .*see "fastify-sealed-session inspect --help"\n$/ })
  }
})

t.test('of many cookies of one name, inspect tries the first four, as a server does', async t => {
  const operator = withKey(t)
  const good = seal(operator, { material: KEY })
  const bad = `session=${seal(operator, { material: OTHER_KEY })}; `
  operator.input = `${bad.repeat(3)}session=${good}; ${bad}`
  t.match(await operator.do(...WITH_KEY), /^kind +session[^]*the first that opens of 4 cookies of this name/)
  operator.input = `${bad.repeat(4)}session=${good}`
  t.match(await operator.run(...WITH_KEY), { status: 1, err: /^fastify-sealed-session: the cookie does not open: unknown-key: .*\n$/ })
})
