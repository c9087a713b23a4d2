import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { ada, DEMO, passwordOf, SESSION_ID, startDemo, UNCOUNTED, Visitor, type Demo } from './demo-visitor'
import { found } from '../helpers/started'

/** The demo's "your sessions": how they end, and the password that is asked once more. */

const run = promisify(execFile)
const SIGNED_OUT = /href="\/login">Sign in</

const keyFolder = join(t.testdir({}), 'keys')
let demo: Demo

t.before(async () => { demo = await startDemo(t, keyFolder) })

t.test('signing out ends the session, and a copy of its cookie is refused and cleared', async t => {
  const visitor = await ada(demo)
  const copy = visitor.copy()
  t.equal((await visitor.submit('/cart', '/logout')).status, 303)
  t.equal(visitor.cookies.size, 0)
  t.equal((await visitor.get('/orders')).status, 401)
  t.match((await visitor.get('/')).text, SIGNED_OUT)

  t.equal((await copy.get('/orders')).status, 401)
  t.equal(copy.cookies.size, 0)
  t.match((await copy.get('/')).text, SIGNED_OUT)
})

t.test('after a required sign-in the user returns to the requested page, and never to another site', async t => {
  const visitor = new Visitor(demo)
  const { status, text, headers } = await visitor.get('/sessions')
  t.equal(status, 401)
  t.match(headers.get('www-authenticate'), /^Cookie /)
  const form = found(/href="(\/login\?to=[^"]+)"/, text)
  const to = found(/name="to" value="([^"]+)"/, (await visitor.get(form)).text)
  const answer = await visitor.submit(form, '/login', { username: 'ada', password: passwordOf(demo, 'ada'), to })
  t.equal(answer.headers.get('location'), '/sessions')
  const elsewhere = await visitor.submit('/login', '/login', { username: 'ada', password: passwordOf(demo, 'ada'), to: '//elsewhere.example' })
  t.equal(elsewhere.headers.get('location'), '/orders')
})

t.test('a path to return to is on this site, or there is none', async t => {
  const own = ['/cart', '/sessions?done=others', '/%2f/x']
  const foreign = [
    '//elsewhere.example', '/\\elsewhere.example', '/.//elsewhere.example', '/\t/elsewhere.example', 'https://elsewhere.example',
    'javascript:alert(1)', 'cart', '', '//[', `/${'a'.repeat(256)}`
  ]
  const script = `process.stdout.write(JSON.stringify(${JSON.stringify([...own, ...foreign])}.map(path => require(${JSON.stringify(join(DEMO, 'own-path.js'))}).ownPath(path, null))))`
  const { stdout } = await run(process.execPath, ['-e', script], { env: UNCOUNTED })
  t.strictSame(JSON.parse(stdout), [...own, ...foreign.map(() => null)])
})

t.test('a page shows only this user when this session began and when it ends', async t => {
  const visitor = await ada(demo)
  const { status, text } = await visitor.get('/sessions')
  t.equal(status, 200)
  t.match(text, found(SESSION_ID, (await visitor.get('/cookie')).text))
  t.match(text, 'You showed who you are')
  t.match(text, 'in 30 minutes')
  for (const path of ['/account/password', '/confirm']) t.equal((await new Visitor(demo).get(path)).status, 401, path)
  t.equal((await new Visitor(demo).post('/sessions', { end: 'all' })).status, 401)
})

t.test('signing out everywhere ends every session of this user alone, and the next sign-in works', async t => {
  const [here, there] = [await ada(demo), await ada(demo)]
  const grace = new Visitor(demo)
  await grace.signIn('grace', passwordOf(demo, 'grace'))
  const answer = await here.submit('/sessions', '/sessions', { end: 'all' })
  const again = await ada(demo)
  t.equal(answer.status, 303)
  t.equal(here.cookies.size, 0)
  t.equal((await there.get('/orders')).status, 401)
  t.equal(there.cookies.size, 0)
  t.equal((await again.get('/orders')).status, 200)
  t.equal((await grace.get('/orders')).status, 200)
})

t.test('signing out everywhere else keeps this session, under a new id, and no copy of it', async t => {
  const [here, there] = [await ada(demo), await ada(demo)]
  const copy = here.copy()
  const idBefore = found(SESSION_ID, (await here.get('/sessions')).text)
  t.equal((await here.submit('/sessions', '/sessions', { end: 'others' })).headers.get('location'), '/sessions?done=others')
  const { status, text } = await here.get('/sessions?done=others')
  t.equal(status, 200)
  t.match(text, 'All your other sessions are over')
  t.not(found(SESSION_ID, text), idBefore)
  for (const other of [there, copy]) t.equal((await other.get('/orders')).status, 401)
  t.match((await here.get('/orders')).text, 'A-1843', 'with all that it held')
})

t.test('sessions are ended only by the site\'s own forms', async t => {
  const visitor = await ada(demo)
  for (const path of ['/sessions', '/account/password', '/confirm']) {
    t.equal((await visitor.post(path, { end: 'all', password: 'a new password' })).status, 403, path)
  }
  t.equal((await visitor.submit('/sessions', '/sessions', { end: 'some' })).status, 400)
  t.equal((await visitor.submit('/account/password', '/account/password', { password: 'too short' })).status, 400)
  t.equal((await visitor.get('/orders')).status, 200)
})

interface MovableDemo extends Demo {
  advance (minutes: number): Promise<void>
}

/** A demo whose clock a test can put forward. */
async function startMovableDemo (t: Test): Promise<MovableDemo> {
  const folder = t.testdir({
    ahead: '0',
    'clock.js': `
      const { readFileSync } = require('node:fs')
      const now = Date.now
      Date.now = () => now() + Number(readFileSync(__dirname + '/ahead', 'utf8'))`
  })
  const demo = await startDemo(t, join(folder, 'keys'), { preload: [join(folder, 'clock.js')] })
  let aheadMs = 0
  return { ...demo, advance: async minutes => { await writeFile(join(folder, 'ahead'), String(aheadMs += minutes * 60_000)) } }
}

t.test('changing the password after an old sign-in asks for the password, and ends all other sessions', async t => {
  const demo = await startMovableDemo(t)
  const [here, there] = [new Visitor(demo), new Visitor(demo)]
  for (const visitor of [here, there]) await visitor.signIn('ada', passwordOf(demo, 'ada'))
  await here.submit('/cart', '/cart/add', { product: 'ink', quantity: '2' })
  const form = await here.csrfOn('/account/password')

  await demo.advance(6)
  const stale = await here.get('/account/password')
  t.equal(stale.status, 303)
  t.equal(stale.headers.get('location'), '/confirm?to=%2Faccount%2Fpassword')
  t.equal(stale.headers.get('www-authenticate'), null)
  t.equal((await here.post('/account/password', { csrf: form, password: 'a new password' })).status, 303, 'a form from before, too')
  t.equal((await here.get('/orders')).status, 200, 'what is less sensitive asks nothing')

  const confirmation = '/confirm?to=%2Faccount%2Fpassword'
  const wrong = await here.submit(confirmation, '/confirm', { password: 'wrong', to: '/account/password' })
  t.equal(wrong.status, 401)
  t.match(wrong.text, 'name="to" value="/account/password"')
  const copy = here.copy()
  const right = await here.submit(confirmation, '/confirm', { password: passwordOf(demo, 'ada'), to: '/account/password' })
  t.equal(right.headers.get('location'), '/account/password')
  t.equal((await copy.get('/orders')).status, 401, 'a copy from before is over')
  t.match((await here.get('/cart')).text, '€25.00', 'the rest goes on')

  const changed = await here.submit('/account/password', '/account/password', { password: 'a new password' })
  t.equal(changed.headers.get('location'), '/sessions?done=password')
  t.equal((await here.get('/orders')).status, 200)
  t.equal((await there.get('/orders')).status, 401)
  t.equal((await there.signIn('ada', passwordOf(demo, 'ada'))).status, 401)
  t.equal((await there.signIn('ada', 'a new password')).status, 303)
})

t.test('the confirmation never leads to another site', async t => {
  const visitor = await ada(demo)
  const password = passwordOf(demo, 'ada')
  const { text } = await visitor.get(`/confirm?to=${encodeURIComponent('//elsewhere.example')}`)
  t.match(text, 'name="to" value="/sessions"')
  t.equal((await visitor.submit('/confirm', '/confirm', { password, to: '/\\elsewhere.example' })).headers.get('location'), '/sessions')
})

t.test('while the revocation store is unavailable, the pages say so, not that users are signed out', async t => {
  const folder = t.testdir({
    'away.js': `
      const plugin = require(${JSON.stringify(join(__dirname, '../..'))})
      const away = async () => { throw new Error('away') }
      plugin.memoryRevocation = () => ({ cutOffs: away, raise: away })`
  })
  const demo = await startDemo(t, join(folder, 'keys'), { preload: [join(folder, 'away.js')] })
  const visitor = await ada(demo)
  const { status, text } = await visitor.submit('/cart', '/logout')
  t.equal(status, 503)
  t.match(text, 'We cannot tell right now')
  t.equal((await visitor.get('/orders')).status, 200, 'the session goes on')
})
