import t from 'tap'
import { writeEnvelope } from '../../lib/core/envelope'
import { EXTENSION_COOKIE_ATTRIBUTES, EXTENSION_MAX_AGE } from '../../lib/core/format'
import { plaintext, sealToken } from '../../lib/core/token'
import { addRoutes, appWith, type TestApp } from '../helpers/app'
import { Browser, parseLine, setCookies } from '../helpers/browser'
import { keysFor } from '../helpers/ring'

/** A browser with a session that has these attributes of its own, as any writer may have sealed them. */
function having (app: TestApp, attributes: string): Browser {
  const nowMs = Date.now()
  const envelope = {
    id: Buffer.alloc(16, 0x0f),
    createdAtMs: nowMs,
    renewedAtMs: nowMs,
    extensions: new Map([[EXTENSION_COOKIE_ATTRIBUTES, Buffer.from(attributes)]]),
    customSerializer: false,
    data: '{"user":"ada"}'
  }
  const browser = new Browser(app)
  browser.cookies.set('session', sealToken(writeEnvelope(envelope, 0, plaintext), keysFor().sealing(nowMs), 1))
  return browser
}

async function attributesOf (app: TestApp, attributes: string): Promise<string> {
  const browser = having(app, attributes)
  t.strictSame(await browser.json('/get'), { user: 'ada' })
  const [line] = setCookies(await browser.get('/touch')) as [string]
  return parseLine(line).attributes
}

const USUAL = '; Path=/; HttpOnly; SameSite=Lax'

t.test('the cookie attributes that are sealed in a session are used when it is written', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const set = { path: '/app', domain: 'example.com', httpOnly: false, sameSite: 'Strict', priority: 'High' }
  t.equal(await attributesOf(app, JSON.stringify(set)),
    '; Domain=example.com; Path=/app; SameSite=Strict; Priority=High')
  const absent = { path: null, domain: null, sameSite: null, priority: null, secure: true, partitioned: true }
  t.equal(await attributesOf(app, JSON.stringify(absent)),
    '; HttpOnly; Secure; Partitioned')
})

t.test('a sealed attribute with a wrong value or an unknown name is ignored', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const wrong: readonly object[] = [
    { path: '/a; Domain=evil.example' }, { path: '/a\r\nx: y' }, { path: 'a' }, { path: 1 }, { path: '/ä' },
    { path: `/${'p'.repeat(1024)}` },
    { domain: 'a b' }, { domain: '' }, { domain: 'd'.repeat(254) }, { domain: ['example.com'] },
    { httpOnly: 'yes' }, { httpOnly: null }, { secure: 1 }, { secure: 'Auto' },
    { sameSite: 'lax' }, { sameSite: true }, { sameSite: 'None; X' },
    { partitioned: 'true' }, { priority: 'high' }, { priority: {} }, { maxAge: 5 }, { maxAgeS: 5 }, { expires: 5 },
    { constructor: 'x' }, { toString: true }
  ]
  for (const attributes of wrong) {
    const sealed = JSON.stringify(attributes)
    t.equal(await attributesOf(app, sealed), USUAL, sealed)
  }
  t.equal(await attributesOf(app, '{"__proto__":{"path":"/a"},"propertyIsEnumerable":"path"}'), USUAL)
  const others = await attributesOf(app, '{"path":"/a;b","sameSite":"Strict"}')
  t.equal(others, '; Path=/; HttpOnly; SameSite=Strict', 'the others stay')
})

t.test('a sealed Max-Age that is longer than allowed does not make a Set-Cookie line too long', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const nowMs = Date.now()
  const extensions = new Map([[EXTENSION_MAX_AGE, Buffer.alloc(6, 0xff)]])
  const times = { createdAtMs: nowMs, renewedAtMs: nowMs }
  const envelope = { id: Buffer.alloc(16, 0x0f), ...times, extensions, customSerializer: false, data: '{}' }
  const browser = new Browser(app)
  browser.cookies.set('session', sealToken(writeEnvelope(envelope, 0, plaintext), keysFor().sealing(nowMs), 1))
  const [line] = setCookies(await browser.get('/touch')) as [string]
  t.match(parseLine(line).attributes, /^; Max-Age=34560000;/)
})
