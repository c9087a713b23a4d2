import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { appWith, WARN, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { KEYS, seldom, withEdits } from './inputs'
import { property, testAll } from './properties'

interface Site {
  readonly app: TestApp
  readonly token: string
}

const site = (async (): Promise<Site> => {
  const app = await appWith(t, { key: KEYS, transport: 'both' })
  app.get('/get', async ({ session }) => JSON.stringify(session.data()))
  const session = app.createSecureSession({ user: 'ada' })
  return { app, token: app.encodeSecureSession(session) }
})()

const TOKEN = '\0'
const scheme = seldom(4, fc.constantFrom('Bearer', 'bearer', 'BEARER', 'bEaReR'), fc.constantFrom('Basic', 'Bearer:', 'Bear', '', 'Bearerr', 'Cookie'))
const space = seldom(4, fc.constantFrom(' ', '  ', '     '), fc.constantFrom('', '\t', ' \t', '\u00a0', ','))
const end = seldom(4, fc.constant(''), fc.constantFrom(' ', ',', '=', '"', ';', 'A', '.', ' A'))
const structured = fc.tuple(scheme, space, end).map(([scheme, space, end]) => scheme + space + TOKEN + end)
const header = fc.oneof(
  { weight: 6, arbitrary: structured },
  { weight: 3, arbitrary: withEdits(structured) },
  { weight: 1, arbitrary: fc.string() }
)

/** One scheme in any case, spaces, and the token, character by character. */
function isToken (text: string, token: string): boolean {
  if (text.slice(0, 6).toLowerCase() !== 'bearer') return false
  let at = 6
  while (text[at] === ' ') at++
  return at > 6 && text.slice(at) === token
}

testAll(
  property('a route answers to any Authorization header as the specification says', header, 400, async pattern => {
    const { app, token } = await site
    const authorization = pattern.replace(TOKEN, token)
    app.lines.length = 0
    const response = await app.inject({ url: '/get', headers: { authorization } })
    assert.equal(response.statusCode, 200)
    assert.deepEqual(response.json(), isToken(authorization, token) ? { user: 'ada' } : {})
    assert.deepEqual([setCookies(response), response.headers['session-token']], [[], undefined])
    assert.deepEqual(app.lines.filter(({ level }) => level >= WARN), [])
  })
)
