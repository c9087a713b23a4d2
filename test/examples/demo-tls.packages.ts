import { createHash, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { jwtOf } from '../bound/site'
import { found } from '../helpers/started'
import { passwordOf, startDemo, Visitor, type Demo, type Page } from './demo-visitor'
import { trusting } from './trusting'

/** The demo over TLS, where sessions are bound to the browser. A real Chromium visits it in test/browser. */

const NOT_BOUND_YET = 'Your browser has made no key for this session'
const BOUND_SINCE = /Bound to this device<\/dt><dd>since <time datetime="([^"]+)">[^<]+<\/time> <small>[^<]+<\/small>; last proved <time datetime="([^"]+)">/
/** What browsers send when a page of the site asks for something. */
const BY_PAGE = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }

interface TlsDemo extends Demo {
  readonly certificate: string
  advance (minutes: number): Promise<void>
}

/** The demo over TLS, with a clock that a test can put forward. */
async function startTls (t: Test): Promise<TlsDemo> {
  const folder = t.testdir({
    ahead: '0',
    'clock.js': `
      const { readFileSync } = require('node:fs')
      const now = Date.now
      Date.now = () => now() + Number(readFileSync(__dirname + '/ahead', 'utf8'))`
  })
  const demo = await startDemo(t, join(folder, 'keys'), { overTls: true, preload: [join(folder, 'clock.js')] })
  const certificate = await readFile(join(folder, 'keys/localhost.pem'), 'utf8')
  let aheadMs = 0
  return { ...demo, certificate, advance: async minutes => { await writeFile(join(folder, 'ahead'), String(aheadMs += minutes * 60_000)) } }
}

/** A browser that makes a key for its session. */
class DeviceVisitor extends Visitor {
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  #offer = ''
  #challenge = ''
  #identifier = ''

  static async ada (demo: TlsDemo): Promise<DeviceVisitor> {
    const visitor = new DeviceVisitor(demo, trusting(demo.certificate))
    const { headers } = await visitor.signIn('ada', passwordOf(demo, 'ada'))
    visitor.#offer = headers.get('secure-session-registration') ?? ''
    return visitor
  }

  async register (): Promise<number> {
    const { kty, crv, x, y } = this.#keys.publicKey.export({ format: 'jwk' })
    const jti = found(/challenge="([^"]+)"/, this.#offer)
    return await this.#exchange(found(/path="([^"]+)"/, this.#offer), this.#keys.privateKey, jti, { jwk: { kty, crv, x, y } })
  }

  async refresh (): Promise<number> {
    return await this.#exchange('/dbsc/session/refresh', this.#keys.privateKey, this.#challenge)
  }

  async #exchange (path: string, key: KeyObject, jti: string, header: object = {}): Promise<number> {
    const { status, headers } = await this.post(path, {}, {
      'sec-fetch-site': 'same-origin',
      'sec-fetch-mode': 'no-cors',
      ...(this.#identifier === '' ? {} : { 'sec-secure-session-id': this.#identifier }),
      'secure-session-response': jwtOf(key, { jti }, header)
    })
    const next = /^"([^"]+)";id="([^"]+)"$/.exec(headers.get('secure-session-challenge') ?? '')
    if (next !== null) [, this.#challenge = '', this.#identifier = ''] = next
    return status
  }
}

function boundTimes ({ text }: Page): number[] {
  const [, since = '', proven = ''] = BOUND_SINCE.exec(text) ?? []
  return [since, proven].map(time => Date.parse(time))
}

t.test('over TLS the demo prints how to open Chromium, with the hash of its own key', async t => {
  const { certificate, printed, address } = await startTls(t)
  t.match(address, /^https:\/\/localhost:\d+$/)
  const command = found(/^ +(chromium .*)$/m, printed)
  t.match(command, '--enable-features=DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting')
  t.ok(command.endsWith(address))
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  t.match(command, `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')} `)
})

t.test('the certificate is for localhost alone, made once, and readable only by its owner', async t => {
  const folder = t.testdir({})
  const file = join(folder, 'localhost.pem')
  const first = await startDemo(t, folder, { overTls: true })
  const certificate = await readFile(file, 'utf8')
  const parsed = new X509Certificate(certificate)
  t.equal(parsed.checkHost('localhost'), 'localhost')
  t.equal(parsed.checkHost('elsewhere.example'), undefined)
  t.ok(parsed.verify(parsed.publicKey))
  t.strictSame((await readdir(folder)).sort(), ['localhost.pem', 'session.key'])
  if (process.platform !== 'win32') t.equal((await stat(file)).mode & 0o777, 0o600)
  t.equal(await first.stop(), 0)
  await startDemo(t, folder, { overTls: true })
  t.equal(await readFile(file, 'utf8'), certificate)
})

t.test('your sessions tells since when the session is bound, and when the browser last proved it', async t => {
  const demo = await startTls(t)
  const visitor = await DeviceVisitor.ada(demo)
  t.strictSame([...visitor.cookies.keys()].sort(), ['__Host-session', '__Host-session.u'])
  t.match((await visitor.get('/sessions', BY_PAGE)).text, NOT_BOUND_YET)

  t.equal(await visitor.register(), 200)
  t.equal(await visitor.refresh(), 204)
  const [since, proven] = boundTimes(await visitor.get('/orders', BY_PAGE).then(() => visitor.get('/sessions', BY_PAGE))) as [number, number]
  t.equal(since, proven)
  t.ok(visitor.cookies.has('__Host-session.d'))
  t.notOk(visitor.cookies.has('__Host-session.u'))

  await demo.advance(4)
  t.equal(await visitor.refresh(), 204)
  const [sinceThen, provenThen] = boundTimes(await visitor.get('/sessions', BY_PAGE)) as [number, number]
  t.equal(sinceThen, since)
  t.ok(provenThen > proven)

  await visitor.submit('/sessions', '/sessions', { end: 'others' }, BY_PAGE)
  t.equal(boundTimes(await visitor.get('/sessions', BY_PAGE))[0], since, 'also under the new id')
})

t.test('a copy of the cookies is refused when its proof has ended, and the user goes on', async t => {
  const demo = await startTls(t)
  const visitor = await DeviceVisitor.ada(demo)
  await visitor.register()
  await visitor.refresh()
  const copy = visitor.copy()
  t.equal((await copy.get('/orders', BY_PAGE)).status, 200)
  await demo.advance(6)
  t.equal((await copy.get('/orders', BY_PAGE)).status, 401)
  t.equal(await visitor.refresh(), 204)
  t.equal((await visitor.get('/orders', BY_PAGE)).status, 200)
})

t.test('the page for a new password wants a proof of this moment from a bound session, and nothing from another', async t => {
  const demo = await startTls(t)
  const visitor = await DeviceVisitor.ada(demo)
  t.equal((await visitor.get('/account/password', BY_PAGE)).status, 200, 'not bound')
  await visitor.register()
  await visitor.refresh()
  t.equal((await visitor.get('/account/password', BY_PAGE)).status, 200, 'proved just now')
  await demo.advance(3)
  const copy = visitor.copy()
  const { status, headers } = await visitor.get('/account/password', BY_PAGE)
  t.equal(status, 307)
  t.equal(headers.get('location'), '/account/password')
  t.not(visitor.cookies.has('__Host-session.d'), true)
  await visitor.refresh()
  t.equal((await visitor.get('/account/password', BY_PAGE)).status, 200)
  t.equal((await copy.get('/account/password', BY_PAGE)).status, 307, 'a copy has no key')
})

t.test('where another site asks and nothing is proved, the page says so and opens no session', async t => {
  const demo = await startTls(t)
  const visitor = await DeviceVisitor.ada(demo)
  await visitor.register()
  await visitor.refresh()
  visitor.cookies.delete('__Host-session.d')
  const { status, text, headers } = await visitor.get('/orders', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })
  t.equal(status, 401)
  t.match(text, 'Please sign in')
  t.strictSame(headers.getSetCookie(), [])
  t.equal((await visitor.get('/orders', { ...BY_PAGE, 'secure-session-skipped': 'unreachable' })).status, 503)
})

t.test('what the browser holds shows the pass, and then the proof', async t => {
  const visitor = await DeviceVisitor.ada(await startTls(t))
  t.match((await visitor.get('/cookie', BY_PAGE)).text, visitor.cookies.get('__Host-session.u') as string)
  await visitor.register()
  await visitor.refresh()
  const { text } = await visitor.get('/cookie', BY_PAGE)
  t.match(text, 'And a proof')
  t.notMatch(text, 'And a pass')
  t.match(text.replace(/<[^>]+>/g, ''), visitor.cookies.get('__Host-session.d') as string)
})

t.test('over plain http the demo says why sessions are not bound there', async t => {
  const demo = await startDemo(t, join(t.testdir({}), 'keys'))
  t.match(demo.printed, /not bound to a device here, since browsers do that only over TLS/)
  const visitor = new Visitor(demo)
  await visitor.signIn('ada', passwordOf(demo, 'ada'))
  t.strictSame([...visitor.cookies.keys()], ['session'])
  t.match((await visitor.get('/sessions')).text, 'No. Browsers do that only over TLS')
})
