import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fastify from 'fastify'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { ada, CSRF, DEMO, passwordOf, SESSION_ID, startDemo, UNCOUNTED, Visitor, type Demo } from './demo-visitor'
import { found } from '../helpers/started'

/** The demo site, visited over HTTP. Its "your sessions" are in demo-sessions.test.ts. */

const KEY_FILE = join(DEMO, 'key-file.js')
const run = promisify(execFile)

/** What a session cookie holds, for who has the key file. */
async function opened (t: Test, keyFolder: string, token: string): Promise<Record<string, any> | undefined> {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(secureSession, { key: await readFile(join(keyFolder, 'session.key')) })
  return app.decodeSecureSession(token)?.data()
}

const keyFolder = join(t.testdir({}), 'made', 'at', 'start')
let demo: Demo

t.before(async () => { demo = await startDemo(t, keyFolder) })

t.test('the private page answers 401 until a user signs in, also to an anonymous session', async t => {
  const visitor = new Visitor(demo)
  const stranger = await visitor.get('/orders')
  t.equal(stranger.status, 401)
  t.match(stranger.text, 'href="/login"')
  await visitor.get('/login')
  t.ok(visitor.cookies.has('session'))
  t.equal((await visitor.get('/orders')).status, 401)
})

t.test('a wrong password and an unknown user get the same answer', async t => {
  const answers = []
  for (const username of ['grace', 'nobody']) {
    const { status, text } = await new Visitor(demo).signIn(username, 'wrong')
    answers.push({ status, text: text.replace(found(CSRF, text), '').replace(username, '') })
  }
  t.equal(answers[0]?.status, 401)
  t.match(answers[0]?.text, 'That name and password do not belong together.')
  t.strictSame(answers[0], answers[1])
})

t.test('signing in leads to the private page, with the orders of this user from the upstream', async t => {
  const visitor = new Visitor(demo)
  const answer = await visitor.signIn('ada', passwordOf(demo, 'ada'))
  t.equal(answer.status, 303)
  t.equal(answer.headers.get('location'), '/orders')
  const { status, text } = await visitor.get('/orders')
  t.equal(status, 200)
  t.match(text, 'Hello Ada Lovelace')
  t.match(text, 'A-1843')
  t.notMatch(text, 'G-1947')
})

t.test('the upstream answers 401 without a token, and issues tokens only to its client', async t => {
  const orders = await fetch(`${demo.upstream}/orders`)
  t.equal(orders.status, 401)
  t.match(orders.headers.get('www-authenticate'), 'Bearer')
  const headers = { 'content-type': 'application/json', authorization: `Basic ${btoa('demo:guess')}` }
  t.equal((await fetch(`${demo.upstream}/token`, { method: 'POST', headers, body: '{"user":"ada"}' })).status, 401)
})

t.test('the cookie reveals nothing of its content', async t => {
  const { cookies } = await ada(demo)
  const token = cookies.get('session') ?? ''
  const session = await opened(t, keyFolder, token)
  t.equal(session?.['user'].name, 'Ada Lovelace')
  t.match(session?.['upstreamToken'], /^[\w-]{43}$/)

  const bytes = Buffer.from(token, 'base64url')
  const { upstreamToken, csrf } = session as Record<string, string>
  for (const secret of ['Ada Lovelace', '"ada"', 'upstreamToken', upstreamToken, csrf] as string[]) {
    t.notOk(token.includes(secret), 'not as it is sent')
    t.notOk(bytes.includes(secret), 'nor decoded')
  }
  t.notOk(bytes.includes(Buffer.from(upstreamToken as string, 'base64url')), 'nor as the bytes that the token stands for')
})

t.test('a page shows the cookie and the session without any complete secret', async t => {
  const visitor = await ada(demo)
  const token = visitor.cookies.get('session') ?? ''
  const session = await opened(t, keyFolder, token)
  const { text } = await visitor.get('/cookie')
  t.equal(text.replace(/<[^>]+>/g, '').includes(token), true)
  t.match(text, '&quot;name&quot;: &quot;Ada Lovelace&quot;')
  t.match(text, `&quot;upstreamToken&quot;: &quot;${session?.['upstreamToken'].slice(0, 4)}…&quot;`)
  t.notMatch(text, session?.['upstreamToken'])
  t.match(text, 'in 30 minutes')
  t.equal(visitor.cookies.get('session'), token, 'and reading wrote nothing')

  visitor.cookies.set('session', `${token.slice(0, -1)}!`)
  t.match((await visitor.get('/cookie')).text, 'this cookie does not open')
})

t.test('signing in gives the session a new id and its forms a new token', async t => {
  const visitor = new Visitor(demo)
  const formBefore = await visitor.csrfOn('/login')
  const idBefore = found(SESSION_ID, (await visitor.get('/cookie')).text)
  t.equal(found(SESSION_ID, (await visitor.get('/cookie')).text), idBefore)
  await visitor.signIn('ada', passwordOf(demo, 'ada'))
  t.not(found(SESSION_ID, (await visitor.get('/cookie')).text), idBefore)
  t.not(await visitor.csrfOn('/cart'), formBefore)
})

t.test('a cart is changed in place and kept, also when the anonymous user signs in', async t => {
  const visitor = new Visitor(demo)
  const cart = async () => (await opened(t, keyFolder, visitor.cookies.get('session') ?? ''))?.['cart']

  t.equal((await visitor.submit('/cart', '/cart/add', { product: 'ink', quantity: '1' })).status, 303)
  await visitor.submit('/cart', '/cart/add', { product: 'wax', quantity: '2' })
  t.strictSame(await cart(), [{ product: 'ink', quantity: 1 }, { product: 'wax', quantity: 2 }])
  await visitor.submit('/cart', '/cart/add', { product: 'ink', quantity: '1' })
  await visitor.submit('/cart', '/cart/change', { product: 'wax', quantity: '5' })
  t.strictSame(await cart(), [{ product: 'ink', quantity: 2 }, { product: 'wax', quantity: 5 }])

  await visitor.signIn('ada', passwordOf(demo, 'ada'))
  t.match((await visitor.get('/cart')).text, '€47.50')
  await visitor.submit('/cart', '/cart/remove', { product: 'ink' })
  t.strictSame(await cart(), [{ product: 'wax', quantity: 5 }])
  await visitor.submit('/cart', '/cart/add', { product: 'wax', quantity: '9' })
  t.strictSame(await cart(), [{ product: 'wax', quantity: 9 }])

  await visitor.signIn('grace', passwordOf(demo, 'grace'))
  t.equal(await cart(), undefined, 'but not to another user')
})

t.test('a form without the token of its session is refused, and the session is unchanged', async t => {
  const visitor = await ada(demo)
  const before = visitor.cookies.get('session')
  const stranger = new Visitor(demo)
  const fields = { product: 'ink', quantity: '1' }
  for (const forged of [fields, { ...fields, csrf: '' }, { ...fields, csrf: await stranger.csrfOn('/login') }]) {
    t.equal((await visitor.post('/cart/add', forged)).status, 403)
  }
  t.equal((await visitor.post('/logout', {})).status, 403)
  t.equal(visitor.cookies.get('session'), before)
  t.equal((await visitor.get('/orders')).status, 200)
  t.equal((await new Visitor(demo).post('/login', { username: 'ada', password: passwordOf(demo, 'ada') })).status, 403, 'a login form too')
})

t.test('a form sent from another site is refused even with the right token', async t => {
  const visitor = await ada(demo)
  const before = visitor.cookies.get('session')
  const add = (headers: Record<string, string>) => visitor.submit('/cart', '/cart/add', { product: 'ink', quantity: '1' }, headers)
  for (const site of ['cross-site', 'same-site', 'none']) t.equal((await add({ 'sec-fetch-site': site })).status, 403, site)
  for (const origin of ['https://elsewhere.example', 'null']) t.equal((await add({ origin })).status, 403, origin)
  t.equal(visitor.cookies.get('session'), before)
  t.equal((await add({ 'sec-fetch-site': 'same-origin' })).status, 303)
  t.equal((await add({ origin: demo.address })).status, 303)
})

t.test('repeated wrong passwords delay further attempts, for that account only', async t => {
  const visitor = new Visitor(demo)
  for (let attempt = 1; attempt <= 5; attempt++) t.equal((await visitor.signIn('mallory', 'guess')).status, 401)
  const sixth = await visitor.signIn('mallory', 'guess')
  t.equal(sixth.status, 429)
  t.match(sixth.headers.get('retry-after'), /^[1-9]\d?$/)
  t.equal((await new Visitor(demo).signIn('mallory', 'guess')).status, 429, 'a fresh session does not help')
  t.equal((await visitor.signIn('ada', passwordOf(demo, 'ada'))).status, 303)
})

t.test('a form accepts only values that the shop offers', async t => {
  const visitor = await ada(demo)
  for (const fields of [
    { product: 'ink', quantity: '0' }, { product: 'ink', quantity: '10' }, { product: 'ink', quantity: '1.5' }, { product: 'ink', quantity: 'x' },
    { product: '__proto__', quantity: '1' }, { product: 'ink' }, { quantity: '1' }
  ]) {
    t.equal((await visitor.submit('/cart', '/cart/add', fields as Record<string, string>)).status, 400, JSON.stringify(fields))
  }
  t.equal((await visitor.signIn('a'.repeat(65), 'x')).status, 400)
  t.equal((await visitor.signIn('ada', 'x'.repeat(129))).status, 400)
  t.equal((await visitor.signIn('ada', 'x'.repeat(5000))).status, 413)
})

t.test('text of a visitor is escaped in pages', async t => {
  const { text } = await new Visitor(demo).signIn('"><script>alert(1)</script>', 'x')
  t.match(text, '&quot;&gt;&lt;script&gt;')
  t.notMatch(text, '<script')
})

t.test('every page, also an error page, has security headers and shows no stack', async t => {
  const visitor = new Visitor(demo)
  const pages = [
    ['/', 200], ['/login', 200], ['/cart', 200], ['/cookie', 200], ['/style.css', 200],
    ['/orders', 401], ['/nowhere', 404], ['/%zz', 400]
  ] as const
  for (const [path, expected] of pages) {
    const { status, headers, text } = await visitor.get(path)
    t.equal(status, expected, path)
    t.match(headers.get('content-security-policy'), "default-src 'none'", path)
    t.match(headers.get('content-security-policy'), "frame-ancestors 'none'", path)
    t.equal(headers.get('x-content-type-options'), 'nosniff', path)
    t.equal(headers.get('referrer-policy'), 'same-origin', path)
    t.notMatch(text, /\.js:\d/, path)
  }
})

t.test('a session survives a restart with the old key file; the tokens of the upstream do not', async t => {
  const folder = t.testdir({})
  const first = await startDemo(t, folder)
  const visitor = new Visitor(first)
  await visitor.signIn('ada', passwordOf(first, 'ada'))
  const key = await readFile(join(folder, 'session.key'), 'utf8')
  t.match(key, /^[\w-]{43}\n$/)
  t.strictSame(await readdir(folder), ['session.key'])
  if (process.platform !== 'win32') t.equal((await stat(join(folder, 'session.key'))).mode & 0o777, 0o600)
  t.equal(await first.stop(), 0, 'and SIGTERM ends it well')

  const second = await startDemo(t, folder)
  t.equal(await readFile(join(folder, 'session.key'), 'utf8'), key)
  visitor.address = second.address
  const { status, text } = await visitor.get('/orders')
  t.equal(status, 200)
  t.match(text, 'You are signed in, Ada Lovelace')
  t.match(text, 'Sign in again')
  await visitor.signIn('ada', passwordOf(second, 'ada'))
  t.match((await visitor.get('/orders')).text, 'A-1843')
})

t.test('a demo that finds no key, and loses the race to make one, uses the first key', async t => {
  const folder = t.testdir({})
  const script = `
    const fs = require('node:fs/promises')
    const { mkdir } = fs
    let faster = null
    fs.mkdir = async (...args) => {
      if (faster === null) await (faster = readOrMakeKey(${JSON.stringify(folder)}))
      return mkdir(...args)
    }
    const { readOrMakeKey } = require(${JSON.stringify(KEY_FILE)})
    readOrMakeKey(${JSON.stringify(folder)}).then(async overtaken => process.stdout.write(overtaken + await faster))`
  const { stdout } = await run(process.execPath, ['-e', script], { env: UNCOUNTED })
  const key = await readFile(join(folder, 'session.key'), 'utf8')
  t.equal(stdout, key + key)
  t.strictSame(await readdir(folder), ['session.key'])
})

t.test('demos that start at the same time in an empty folder use one key', async t => {
  const folder = t.testdir({})
  const demos = await Promise.all([startDemo(t, folder), startDemo(t, folder)])
  const visitor = new Visitor(demos[0])
  await visitor.signIn('ada', passwordOf(demos[0], 'ada'))
  for (const { address } of demos) {
    visitor.address = address
    t.match((await visitor.get('/cookie')).text, 'Ada Lovelace')
  }
  t.strictSame(await readdir(folder), ['session.key'])
})

t.test('if its port is in use, the demo takes a free one and says so', async t => {
  const taken = new URL(demo.address).port
  const other = await startDemo(t, keyFolder, { port: taken })
  t.match(other.printed, `Port ${taken} is taken`)
  t.not(other.address, demo.address)
  t.equal((await fetch(other.address)).status, 200)
})
