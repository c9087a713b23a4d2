import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { appWith, WARN, type LogLine, type TestApp } from '../helpers/app'
import { parseLine, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { readHeader, valuesOf, type Reader } from './format'
import {
  ABSOLUTE_MS, anyText, IDLE_MS, KEYS, longPlaintext, NOW_MS, seldom, sessionPlaintext, stampPlaintext, tokenOf,
  withEdits
} from './inputs'
import { property, testAll } from './properties'

const READER: Reader = {
  keys: KEYS, cookieName: 'session', nowMs: NOW_MS, idleMs: IDLE_MS, absoluteMs: ABSOLUTE_MS, customData: 'refused'
}
const OPTIONS = { key: KEYS, idle: IDLE_MS / 1000, absolute: ABSOLUTE_MS / 1000 }
const OWN_NAMES = ['session', 'session.1', 'session.2', 'session.t']
const OTHER_NAMES = ['sessions', 'Session', 'session.3', 'session.tt', 'my-session', 'a']
/** Node answers 431 for more than 16 KB of headers. */
const LONGEST_HEADER = 15_000

fakeClock(t, NOW_MS)
const site = (async (): Promise<TestApp> => {
  const app = await appWith(t, OPTIONS)
  const { stripCookies } = app.secureSession
  app.get('/get', async ({ session }) => JSON.stringify({ data: session.data(), isNew: session.info.isNew }))
  app.get('/strip', async ({ headers }) => JSON.stringify({ left: stripCookies(headers.cookie) ?? null }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app
})()

const tokens = tokenOf(sessionPlaintext).map(({ token }) => token)
const longTokens = tokenOf(longPlaintext).map(({ token }) => token)

/** The cookies that carry a token; now and then with one left out or with a part of another length. */
const lengthOff = seldom(20, fc.constant(0), fc.constantFrom(-1, 1, 2))
const partLeftOut = seldom(10, fc.constant(-1), fc.nat(2))
const cookiesOfSession = fc.tuple(tokens, lengthOff, partLeftOut)
  .map(([token, off, leftOut]) => {
    const said = Buffer.from(token.slice(0, 4), 'base64url')[1] as number
    const parts = said === 2 || said === 3 ? said : 1
    const length = Math.ceil(token.length / parts) + (parts === 1 ? token.length : off)
    return ['session', 'session.1', 'session.2'].slice(0, parts)
      .map((name, part) => `${name}=${token.slice(part * length, (part + 1) * length)}`)
      .filter((_, part) => part !== leftOut)
  })

const counts = fc.array(fc.nat(3), { minLength: 3, maxLength: 3 })

/** A token in three parts, with up to three others of the same length beside each part. */
const crowd = fc.tuple(longTokens, counts, fc.nat(3)).map(([token, others, at]) => {
  const length = Math.ceil(token.length / 3)
  return ['session', 'session.1', 'session.2'].flatMap((name, part) => {
    const value = token.slice(part * length, (part + 1) * length)
    const cookies = new Array<string>(others[part] as number).fill(`${name}=${value.slice(0, -1)}A`)
    cookies.splice(at, 0, `${name}=${value}`)
    return cookies
  })
})

const stamp = tokenOf(stampPlaintext, 'session.t', 'stamp').map(({ token }) => [`session.t=${token}`])

const space = fc.constantFrom('', '', '', ' ', '\t', '  ', '\u00a0', '\v')
const name = seldom(25, fc.constantFrom(...OWN_NAMES), fc.constantFrom(...OTHER_NAMES, ''))
const sign = fc.constantFrom('=', '=', ' =', '==', '')
const latin1 = fc.array(fc.integer({ min: 0, max: 0xff })).map(codes => String.fromCharCode(...codes))

const value = fc.oneof(fc.string(), latin1, withEdits(tokens), fc.constantFrom('', '"', '%3B'))

const junk = fc.oneof(
  fc.tuple(name, sign, value).map(texts => [texts.join('')]),
  fc.oneof(fc.string(), latin1).map(text => [text]),
  fc.integer({ min: 1000, max: 4093 }).map(length => [`session=AQIA${'A'.repeat(length)}`])
)

const pieces = fc.oneof(
  { weight: 10, arbitrary: cookiesOfSession },
  { weight: 4, arbitrary: stamp },
  { weight: 4, arbitrary: junk },
  { weight: 1, arbitrary: crowd }
)
const pairs = fc.array(pieces, { maxLength: 7 }).map(all => all.flat())
const spaces = fc.array(fc.tuple(space, space), { minLength: 1, maxLength: 5 })

/** Several sessions, stamps and other cookies in any order, one of them twice. */
const structured = fc.tuple(pairs, spaces, fc.boolean(), fc.nat(20))
  .map(([pairs, spaces, isReversed, again]) => {
    const twice = pairs.flatMap((pair, index) => index === again ? [pair, pair] : [pair])
    const ordered = isReversed ? twice.reverse() : twice
    return ordered.map((pair, index) => {
      const [before, behind] = spaces[index % spaces.length] as [string, string]
      return `${before}${pair}${behind}`
    }).join(';')
  })

const header = fc.oneof(
  { weight: 8, arbitrary: structured },
  { weight: 2, arbitrary: withEdits(structured) },
  { weight: 1, arbitrary: anyText },
  { weight: 1, arbitrary: latin1 }
)

/** Fields of a request: without the characters that end a field, or that are no bytes of Latin-1. */
const fields = fc.array(header, { minLength: 1, maxLength: 2 })
  .map(fields => fields.map(text => text.replace(/[\r\n\0]|[^\0-\xff]/g, '')))
  .filter(fields => fields.join('').length < LONGEST_HEADER)

interface Answer {
  readonly body: string
  readonly cookies: readonly string[]
}

/** What the server answers to a Cookie header, and logs, is what the specification says. */
function isAsSpecified (header: string, { body, cookies }: Answer, lines: readonly LogLine[]): void {
  const { opened: [session], refused } = readHeader(header, READER)
  const isNew = session === undefined
  assert.deepEqual(JSON.parse(body), { data: isNew ? {} : asJson(session.json), isNew })
  const isRenewed = !isNew && NOW_MS - session.lastRenewedAtMs >= session.idleMs / 4
  assert.deepEqual(cookies.map(line => parseLine(line).name), isRenewed ? ['session.t'] : [])
  const reasons = lines.filter(({ level, reason }) => level < WARN && reason !== undefined).map(({ reason }) => reason)
  assert.deepEqual(reasons.filter(isNotOfClocks), refused.filter(isNotOfClocks))
  assert.deepEqual(lines.filter(({ level }) => level > WARN), [])
}

function asJson (value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** Of clocks that differ it warns once. */
function isNotOfClocks (reason: unknown): boolean {
  return reason !== 'from-the-future'
}

async function injected (app: TestApp, url: string, cookie: string): Promise<Answer> {
  const response = await app.inject({ url, headers: { cookie } })
  assert.equal(response.statusCode, 200, response.body)
  return { body: response.body, cookies: setCookies(response) }
}

/** As bytes over a socket, each text in a Cookie field of its own; null where Node.js refuses the request. */
async function overSocket (app: TestApp, fields: readonly string[]): Promise<Answer | null> {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', chunk => { chunks.push(chunk) })
  const closed = once(socket, 'close')
  const lines = ['GET /get HTTP/1.1', 'Host: a', 'Connection: close', ...fields.map(text => `Cookie: ${text}`), '', '']
  socket.end(Buffer.from(lines.join('\r\n'), 'latin1'))
  await closed
  const [head = '', body = ''] = Buffer.concat(chunks).toString('latin1').split(/\r\n\r\n([^]*)/)
  if (head.startsWith('HTTP/1.1 400 ')) return null
  assert.match(head, /^HTTP\/1\.1 200 /)
  const cookies = [...head.matchAll(/^set-cookie: (.*)$/gim)].map(([, line]) => line as string)
  return { body: Buffer.from(body, 'latin1').toString(), cookies }
}

testAll(
  property('a route answers to any Cookie header as the specification says', header, 400, async header => {
    const app = await site
    app.lines.length = 0
    isAsSpecified(header, await injected(app, '/get', header), app.lines)
  }),

  property('a server answers to any bytes in Cookie fields as the specification says', fields, 150, async fields => {
    const app = await site
    app.lines.length = 0
    const answer = await overSocket(app, fields)
    // Node.js refuses control characters, and answers without the app.
    if (answer === null) return assert.match(fields.join(''), /[^\t\x20-\x7e\x80-\xff]/)
    // It leaves out white space at both ends of a field, and joins fields.
    isAsSpecified(fields.map(text => text.replace(/^[ \t]+|[ \t]+$/g, '')).join('; '), answer, app.lines)
  }),

  property('stripCookies takes out the cookies of the session, and no others', header, 400, async header => {
    const { body } = await injected(await site, '/strip', header)
    const left = String(JSON.parse(body).left ?? '')
    for (const name of OWN_NAMES) assert.deepEqual(valuesOf(left, name), [])
    for (const name of OTHER_NAMES) assert.deepEqual(valuesOf(left, name), valuesOf(header, name))
  })
)
