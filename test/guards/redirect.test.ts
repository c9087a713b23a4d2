import t, { type Test } from 'tap'
import type secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, type TestApp } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import plugin = require('../../index')
import { subject, visitor, WITH_SUBJECT } from './site'

const NAVIGATION = { 'sec-fetch-mode': 'navigate' }

/** A site whose pages are behind a guard that redirects. */
async function site (t: Test, guard: secureSession.GuardOptions = { redirectTo: '/login', returnTo: 'next' }): Promise<TestApp> {
  const app = await appWith(t, WITH_SUBJECT)
  addRoutes(app)
  app.get('/login', async ({ session }) => ({ user: session.get('user') ?? null }))
  await app.register(async scope => {
    await scope.register(scope.sessionGuard, guard)
    scope.all('/orders', async ({ session }) => ({ user: session.get('user') }))
    scope.get('/orders/*', async () => ({}))
  })
  return app
}

/** What a browser without a session gets. */
async function refused (app: TestApp, options: { url?: string, method?: 'GET' | 'HEAD' | 'POST', headers?: object }): Promise<unknown[]> {
  const { statusCode, headers } = await app.inject({ url: '/orders', headers: NAVIGATION, ...options } as object)
  return [statusCode, headers.location]
}

t.test('a navigation without a user is sent to the login page, with the path that it wanted', async t => {
  const app = await site(t)
  t.strictSame(await refused(app, {}), [303, '/login?next=%2Forders'])
  t.strictSame(await refused(app, { url: '/orders?page=2&q=a%20b' }), [303, '/login?next=%2Forders%3Fpage%3D2%26q%3Da%2520b'])
  t.strictSame(await refused(app, { method: 'HEAD' }), [303, '/login?next=%2Forders'])
  t.equal((await app.inject({ url: '/orders', headers: NAVIGATION })).headers['cache-control'], 'no-store')
})

t.test('what was posted cannot be repeated by going to its path, so the login page is not told it', async t => {
  t.strictSame(await refused(await site(t), { method: 'POST' }), [303, '/login'])
})

t.test('without "returnTo" the login page is told no path; a query that it has is kept', async t => {
  t.strictSame(await refused(await site(t, { redirectTo: '/login' }), {}), [303, '/login'])
  const app = await site(t, { redirectTo: '/login?via=shop', returnTo: 'to' })
  t.strictSame(await refused(app, {}), [303, '/login?via=shop&to=%2Forders'])
})

t.test('a request of a script gets the 401, and so does a client that says nothing of itself', async t => {
  const app = await site(t)
  for (const headers of [{ 'sec-fetch-mode': 'cors' }, { 'sec-fetch-mode': 'same-origin', accept: 'text/html' }, { accept: 'application/json' }, { accept: '*/*' }, {}]) {
    t.strictSame(await refused(app, { headers }), [401, undefined], JSON.stringify(headers))
  }
  const { headers } = await app.inject({ url: '/orders', headers: { 'sec-fetch-mode': 'cors' } })
  t.match(headers['www-authenticate'], /^Cookie realm/)
})

t.test('a browser that sends no Sec-Fetch-Mode is recognized by text/html in Accept', async t => {
  const app = await site(t)
  for (const accept of ['text/html', 'application/xhtml+xml, TEXT/HTML;q=0.9, */*;q=0.8']) {
    t.strictSame(await refused(app, { headers: { accept } }), [303, '/login?next=%2Forders'], accept)
  }
})

t.test('a user passes', async t => {
  const ada = await visitor(await site(t), 'ada')
  t.strictSame((await ada.get('/orders', { headers: NAVIGATION })).json(), { user: 'ada' })
})

t.test('a login that is too old is sent to the login page, too', async t => {
  const clock = fakeClock(t)
  const app = await site(t, { redirectTo: '/login', returnTo: 'next', freshWithin: '5m' })
  const ada = await visitor(app, 'ada')
  clock.advance(300_000)
  const stale = await ada.get('/orders', { headers: NAVIGATION })
  t.strictSame([stale.statusCode, stale.headers.location], [303, '/login?next=%2Forders'])
  t.equal((await ada.get('/orders')).json().code, 'FST_SESSION_STALE')
})

t.test('a path that browsers would resolve to another site, or that is too long, is not passed on', async t => {
  const app = await site(t)
  for (const url of ['/orders//evil.test', `/orders/${'x'.repeat(2048)}`]) {
    t.strictSame(await refused(app, { url }), [303, '/login'], url.slice(0, 20))
  }
  t.strictSame(await refused(app, { url: 'http://evil.test/orders?a' }), [303, '/login?next=%2Forders%3Fa'])
})

t.test('after the login, the user is where they wanted to go', async t => {
  const app = await site(t)
  app.post('/login', async (request, reply) => {
    request.session.set('user', 'ada')
    return await reply.redirect(app.secureSession.returnPath(request, '/account'), 303)
  })
  const browser = await visitor(app)
  const { headers: { location } } = await browser.get('/orders?page=2', { headers: NAVIGATION })
  const next = await browser.get(String(location), { method: 'POST' })
  t.equal(next.headers.location, '/orders?page=2')
  t.strictSame((await browser.get(String(next.headers.location), { headers: NAVIGATION })).json(), { user: 'ada' })
})

t.test('a login page that is guarded itself, in a way that the boot does not see, is answered with the 401', async t => {
  const app = await appWith(t, WITH_SUBJECT)
  await app.register(async scope => {
    await scope.register(scope.sessionGuard, { redirectTo: '/entrée?a=b', returnTo: 'next' })
    scope.get('/:page', async () => ({}))
  })
  t.strictSame(await refused(app, { url: '/orders' }), [303, '/entr%C3%A9e?a=b&next=%2Forders'])
  t.strictSame(await refused(app, { url: '/entr%C3%A9e?a=b&next=%2Forders' }), [401, undefined])
  t.strictSame(await refused(app, { url: '/entr%c3%a9e' }), [303, '/entr%C3%A9e?a=b&next=%2Fentr%25c3%25a9e'], 'another spelling, and so one step')
})

t.test('a user for whom "when" says no gets the 401, since a login would not help', async t => {
  const app = await site(t, { redirectTo: '/login', when: session => session.get('user') === 'root' })
  t.strictSame(await refused(app, {}), [303, '/login'])
  const ada = await visitor(app, 'ada')
  t.equal((await ada.get('/orders', { headers: NAVIGATION })).statusCode, 401)
})

t.test('wrong options are refused at boot', async t => {
  const wrong: Array<[object, RegExp]> = [
    [{ returnTo: 'next' }, /"returnTo" needs "redirectTo"/],
    [{ redirectTo: 'login' }, /"redirectTo" must be a path of this site.*found a string of 5/],
    [{ redirectTo: '//evil.test' }, /"redirectTo" must be a path/],
    [{ redirectTo: 'https://evil.test/' }, /"redirectTo" must be a path/],
    [{ redirectTo: '/login#form' }, /without a fragment/],
    [{ redirectTo: 7 }, /found 7/],
    [{ redirectTo: '/login', returnTo: '' }, /"returnTo" must be the name/],
    [{ redirectTo: '/login', returnTo: 'a&b' }, /"returnTo" must be the name/],
    [{ redirectTo: '/login', returnTo: true }, /found true/],
    [{ redirectTo: '/login?next=/', returnTo: 'next' }, /has the parameter of "returnTo" already/]
  ]
  const app = await appWith(t, WITH_SUBJECT)
  for (const [options, message] of wrong) {
    t.throws(() => app.requireSession(options), { code: 'FST_SESSION_INVALID_OPTION', message }, JSON.stringify(options))
  }
})

t.test('a login page behind the guard that leads to it is refused at boot', async t => {
  const app = bareApp(t)
  app.register(plugin, { key: KEY, subject })
  app.register(async scope => {
    await scope.register(scope.sessionGuard, { redirectTo: '/login?a', returnTo: 'next' })
    scope.post('/login', async () => ({}))
    scope.get('/login', async () => ({}))
  })
  await t.rejects(async () => { await app.ready() }, { code: 'FST_SESSION_INVALID_OPTION', message: /GET \/login has a guard.*leads to this route/ })
})
