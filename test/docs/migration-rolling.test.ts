import t, { type Test } from 'tap'
import { ADA, addRoutes, appOf, appWithOld, block, oldAppOf, PAGE, peer } from './migration-page'
import { runSnippet } from '../helpers/snippet'
import type { TestApp } from '../helpers/app'
import { Browser } from './migration-browser'

/** Two fleets behind one load balancer: the table of the page, row by row. */

const GRACE = { name: 'grace' }

interface Fleets {
  readonly old: TestApp
  readonly now: TestApp
}

async function fleets (t: Test): Promise<Fleets> {
  return { old: await oldAppOf(t), now: await appOf(t, block(t, 'js', 'keep: true')) }
}

/** The same, with what the page mends by hand. */
async function mended (t: Test): Promise<Fleets> {
  const old = await appWithOld(t, async app => {
    await app.register(peer, { key: Buffer.from(process.env['OLD_SESSION_KEY'] as string, 'base64'), cookie: { path: '/' } })
    runSnippet(block(t, 'js', "['/login', '/logout']"), { app })
  })
  const now = await appOf(t, block(t, 'js', 'keep: true'), {}, app => {
    app.post('/login', async (request: any) => { request.session.regenerate(); request.session.set('user', { name: request.body.name }); return {} })
    addRoutes(app)
  })
  return { old, now }
}

async function loggedInAt (app: TestApp, name = 'ada'): Promise<Browser> {
  const browser = await Browser.at(app)
  await browser.post('/login', { name })
  return browser
}

/** Who a browser is at either fleet. It visits copies, so that looking changes nothing. */
async function seen (browser: Browser, { old, now }: Fleets): Promise<unknown[]> {
  return [await (await browser.copy().goTo(old)).get('/me'), await (await browser.copy().goTo(now)).get('/me')]
}

t.test('rolling deploy: a user from before it is logged in on both sides, and both cookies stay', async t => {
  const both = await fleets(t)
  const ada = await loggedInAt(both.old)
  for (const app of [both.now, both.old, both.now]) t.strictSame(await (await ada.goTo(app)).get('/me'), ADA)
  await ada.post('/theme/dark')
  t.strictSame(ada.cookies, ['__Host-session /', 'session /'])
})

t.test('rolling deploy: changes of one side after the migration are not seen by the other', async t => {
  const both = await fleets(t)
  const ada = await loggedInAt(both.old)
  await (await ada.goTo(both.now)).post('/theme/dark')
  t.strictSame(await ada.get('/theme'), { theme: 'dark' })
  t.strictSame(await (await ada.goTo(both.old)).get('/theme'), { theme: null })
  await ada.post('/theme/light')
  t.strictSame(await (await ada.goTo(both.now)).get('/theme'), { theme: 'dark' })
})

t.test('rolling deploy: a login on an old server is a login on new servers that did not know the browser', async t => {
  const both = await fleets(t)
  t.strictSame(await seen(await loggedInAt(both.old), both), [ADA, ADA])
  const ada = await loggedInAt(both.old)
  await (await ada.goTo(both.now)).post('/theme/dark')
  await (await ada.goTo(both.old)).post('/login', GRACE)
  t.strictSame(await seen(ada, both), [GRACE, ADA])
})

t.test('rolling deploy: a login on a new server is not known to old servers', async t => {
  const both = await fleets(t)
  t.strictSame(await seen(await loggedInAt(both.now), both), [{}, ADA])
  const ada = await loggedInAt(both.old)
  await (await ada.goTo(both.now)).post('/login', GRACE)
  t.strictSame(await seen(ada, both), [ADA, GRACE])
})

t.test('rolling deploy: a logout on a new server ends both sessions, also with keep', async t => {
  const both = await fleets(t)
  const ada = await loggedInAt(both.old)
  await (await ada.goTo(both.now)).post('/logout')
  t.strictSame(ada.cookies, [])
  t.strictSame(await seen(ada, both), [{}, {}])
})

t.test('rolling deploy: a logout on an old server does not log out on a new server that knew the browser', async t => {
  const both = await fleets(t)
  const ada = await loggedInAt(both.old)
  await (await ada.goTo(both.now)).post('/theme/dark')
  await (await ada.goTo(both.old)).post('/logout')
  t.strictSame(await seen(ada, both), [{}, ADA])

  const grace = await loggedInAt(both.old)
  await grace.post('/logout')
  t.strictSame(await seen(grace, both), [{}, {}])
})

t.test('rolling deploy: with the hook, a login or a logout on an old server is effective on both sides', async t => {
  const both = await mended(t)
  const ada = await loggedInAt(both.old)
  await (await ada.goTo(both.now)).get('/me')
  await (await ada.goTo(both.old)).post('/login', GRACE)
  t.strictSame(await seen(ada, both), [GRACE, GRACE])
  await (await ada.goTo(both.now)).get('/me')
  await (await ada.goTo(both.old)).post('/logout')
  t.strictSame(ada.cookies, [])
  t.strictSame(await seen(ada, both), [{}, {}])
})

t.test('rolling deploy: a login on a new server that calls regenerate ends the old session', async t => {
  const both = await mended(t)
  const ada = await loggedInAt(both.old)
  await (await ada.goTo(both.now)).post('/login', GRACE)
  t.strictSame(ada.cookies, ['__Host-session /'])
  t.strictSame(await seen(ada, both), [{}, GRACE])
})

t.test('rolling deploy: without keep, the legacy cookie opens only without a new one; a logout clears it', async t => {
  const both = await fleets(t)
  const later = await appOf(t, block(t, 'js', 'keep: true').replace(', keep: true', ''))
  const ada = await loggedInAt(both.old)
  await (await ada.goTo(both.now)).post('/login', GRACE)
  t.strictSame(await (await ada.goTo(later)).get('/me'), GRACE)
  t.strictSame(ada.cookies, ['__Host-session /', 'session /'])
  await ada.post('/logout')
  t.strictSame(ada.cookies, [])

  const late = await loggedInAt(both.old)
  t.strictSame(await (await late.goTo(later)).get('/me'), ADA)
  await late.post('/theme/dark')
  t.strictSame(late.cookies, ['__Host-session /'], 'a session that has not migrated yet migrates as usual')
})

t.test('rolling deploy: after going back, users from before are still logged in', async t => {
  const both = await fleets(t)
  const ada = await loggedInAt(both.old)
  await (await ada.goTo(both.now)).post('/theme/dark')
  t.strictSame(await (await ada.goTo(both.old)).get('/me'), ADA)
})

t.test('rolling deploy: the table has a row for each of these cases', async t => {
  const [, table] = /\| who \| on old servers \| on new servers \|\n[^\n]*\n((?:\|.*\n)+)/.exec(PAGE) as unknown as [string, string]
  t.equal(table.trim().split('\n').length, 6)
})
