import type { FastifyInstance } from 'fastify'
import type { Page } from 'playwright-core'
import secureSession from '../../index'
import { KEY, OTHER_KEY } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { inBrowsers } from './browsers'
import { fetched, jarHolds, shop, site, type Site } from './site'

const { secureSessionOpener } = secureSession
/** Its declarations claim `request.session` as ours do, so it comes without. */
const peer: any = require('@fastify/secure-session')
const MINUTE_MS = 60_000

type OwnOptions = Parameters<secureSession.Session['options']>[0]

/** Routes at a path of their own, where a session may have its cookies. */
function own (app: FastifyInstance, options: OwnOptions): void {
  app.get('/app/login', async ({ session }) => {
    session.regenerate()
    session.set('user', 'ada')
    session.options(options)
    return {}
  })
  app.get('/app/get', async ({ session }) => session.data())
  app.get('/app/set', async ({ session }) => { session.set('lang', 'en'); return {} })
  app.get('/app/regenerate', async ({ session }) => { session.regenerate(['user']); return {} })
  app.get('/app/logout', async ({ session }) => { session.delete(); return {} })
}

const OWN: ReadonlyArray<readonly [string, OwnOptions, string]> = [
  ['a path', { path: '/app' }, 'shop.test/app'],
  ['a domain', { domain: 'shop.test' }, '.shop.test/'],
  ['both', { path: '/app', domain: 'shop.test' }, '.shop.test/app'],
  ['a partition', { sameSite: 'none', secure: true, partitioned: true }, 'shop.test/'],
  ['a long life', { maxAge: 90 * 24 * 60 * 60, sameSite: 'strict' }, 'shop.test/']
]

inBrowsers('delete removes a session and its stamp, with any attributes of its own', async (t, browser) => {
  for (const [what, options, where] of OWN) {
    const clock = fakeClock(t, Date.now())
    const site = await shop(t, { key: KEY, idle: '1h' }, app => { own(app, options) })
    const page = await browser.newPage()
    await page.goto(site.url('/app/login'))
    clock.advance(('maxAge' in options ? 30 * 24 * 60 : 20) * MINUTE_MS)
    t.strictSame(await fetched(page, '/app/get'), { user: 'ada' })
    await expectIn(page, [`session.t@${where}`, `session@${where}`])
    t.equal(site.seen.at(-1)?.url, '/app/get')
    await fetched(page, '/app/logout')
    await expectIn(page, [])
    t.strictSame(await fetched(page, '/app/get'), {}, what)
    t.equal(site.seen.at(-1)?.cookie, undefined)
    await page.close()
  }

  async function expectIn (page: Page, expected: string[]): Promise<void> {
    await jarHolds(t, page.context(), expected)
  }
})

inBrowsers('a session that is given another path is cleared at the old path', async (t, browser) => {
  const site = await shop(t, { key: KEY }, app => { own(app, { path: '/app', domain: 'shop.test' }) })
  const page = await browser.newPage()
  await page.goto(site.url('/set/lang/en'))
  await jarHolds(t, browser, ['session@shop.test/'])
  await page.goto(site.url('/app/login'))
  await jarHolds(t, browser, ['session@.shop.test/app'])
  t.strictSame(await fetched(page, '/get'), {}, 'it is for that path alone now')
  await fetched(page, '/app/set')
  t.strictSame(await fetched(page, '/app/get'), { user: 'ada', lang: 'en' })
})

inBrowsers('regenerate leaves one cookie, that of the new session', async (t, browser) => {
  const site = await shop(t, { key: KEY }, app => { own(app, {}) })
  const page = await browser.newPage()
  await page.goto(site.url('/app/login'))
  const { id } = await fetched(page, '/info')
  await fetched(page, '/app/regenerate')
  await jarHolds(t, browser, ['session@shop.test/'])
  t.not((await fetched(page, '/info')).id, id)
  t.strictSame(await fetched(page, '/app/get'), { user: 'ada' })
})

inBrowsers('a session of @fastify/secure-session is migrated, and its legacy cookie is cleared', async (t, browser) => {
  for (const old of [{ path: '/' }, { path: '/', domain: 'shop.test' }, { path: '/app' }] as const) {
    const before = await oldShop(t, { ...old, httpOnly: true, secure: true })
    const after = await shop(t, { key: KEY, cookieName: '__Host-session', legacy: [secureSessionOpener({ key: OTHER_KEY, cookieName: 'old', cookie: old })] }, app => { own(app, {}) })
    const page = await browser.newPage()
    await page.goto(before.url('/app/login'))
    t.equal((await browser.cookies())[0]?.name, 'old')
    await page.goto(after.url('/app/get'))
    t.equal((await browser.cookies())[0]?.name, 'old', 'a request that only reads migrates nothing')
    await fetched(page, '/app/set')
    await jarHolds(t, browser, ['__Host-session@shop.test/'])
    t.strictSame(await fetched(page, '/app/get'), { user: 'ada', lang: 'en' })
    await page.close()
    await browser.clearCookies()
  }
})

async function oldShop (t: Parameters<typeof shop>[0], cookie: object): Promise<Site> {
  return await site(t, async app => {
    await app.register(peer, { key: OTHER_KEY, cookieName: 'old', cookie })
    app.get('/app/login', async request => { request.session.set('user', 'ada'); return {} })
  })
}
