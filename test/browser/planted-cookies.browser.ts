import type { FastifyInstance } from 'fastify'
import type { Page } from 'playwright-core'
import { KEY, OTHER_KEY } from '../helpers/app'
import { inBrowsers } from './browsers'
import { fetched, jarHolds, logIn, namesIn, shop, type Site } from './site'

/** What a hostile neighbour under the same domain can do: set any cookie for the whole of it. */
function hostile (app: FastifyInstance): void {
  app.get('/toss', async ({ query }, reply) => {
    reply.header('set-cookie', (query as { line: string[] | string }).line)
    return {}
  })
  // Where a longer path brings a tossed cookie before the user's own.
  app.get('/account/get', async ({ session }) => session.data())
  app.get('/account/delete', async ({ session }) => { session.delete(); return {} })
}

async function toss (page: Page, site: Site, ...lines: string[]): Promise<void> {
  await page.goto(site.url(`/toss?${lines.map(line => `line=${encodeURIComponent(line)}`).join('&')}`, 'evil.shop.test'))
}

/** The token of a session that somebody else has at the same shop. */
async function tokenOf (site: Site, user: string): Promise<string> {
  const { headers } = await site.app.inject(`/set/user/${user}`)
  return (/^[^=]+=([^;]*)/.exec(String(headers['set-cookie'])) as RegExpExecArray)[1] as string
}

inBrowsers('random cookies of a subdomain log no user out, and a logout does not clear them', async (t, browser) => {
  const site = await shop(t, { key: KEY }, hostile)
  const page = await browser.newPage()
  await toss(page, site, 'session=early; Domain=shop.test; Path=/')
  await logIn(page, site)
  await toss(page, site, 'session=late; Domain=shop.test; Path=/', 'session=longer; Domain=shop.test; Path=/account', 'session.t=stamp; Domain=shop.test; Path=/')
  await page.goto(site.url())
  for (const path of ['/get', '/account/get']) t.strictSame(await fetched(page, path), { user: 'ada' }, path)
  t.strictSame(namesIn(site.seen.at(-1)?.cookie).sort(), ['session', 'session', 'session', 'session.t'], 'all of it came')
  await fetched(page, '/set/lang/en')
  t.strictSame(await fetched(page, '/account/get'), { user: 'ada', lang: 'en' }, 'and what is written stays')
  const tossed = ['session.t@.shop.test/', 'session@.shop.test/', 'session@.shop.test/account']
  await jarHolds(t, browser, [...tossed, 'session@shop.test/'])
  await fetched(page, '/account/delete')
  await jarHolds(t, browser, tossed)
  t.strictSame(await fetched(page, '/account/get'), {})
  await logIn(page, site, 'grace')
  t.strictSame(await fetched(page, '/account/get'), { user: 'grace' }, 'a new login is what counts')
})

inBrowsers('of an attacker\'s session and the user\'s, the newer counts under a plain name', async (t, browser) => {
  const site = await shop(t, { key: KEY }, hostile)
  const page = await browser.newPage()
  await toss(page, site, `session=${await tokenOf(site, 'mallory')}; Domain=shop.test; Path=/account`)
  await logIn(page, site)
  for (const path of ['/get', '/account/get']) t.strictSame(await fetched(page, path), { user: 'ada' }, path)
  await toss(page, site, `session=${await tokenOf(site, 'mallory')}; Domain=shop.test; Path=/`)
  await page.goto(site.url())
  t.strictSame(await fetched(page, '/get'), { user: 'mallory' }, 'which no server can tell from a new login')
})

inBrowsers('a subdomain cannot set a __Host- cookie, and plain cookies do not affect it', async (t, browser) => {
  for (const cookieName of ['__Host-session', '__Host-Http-session']) {
    const site = await shop(t, { key: KEY, cookieName }, hostile)
    const page = await browser.newPage()
    await logIn(page, site)
    const before = await browser.cookies()
    const token = await tokenOf(site, 'mallory')
    await toss(page, site,
      `${cookieName}=${token}; Domain=shop.test; Path=/; Secure; HttpOnly`, `${cookieName}=${token}; Domain=shop.test; Path=/account; Secure; HttpOnly`,
      `${cookieName.toUpperCase()}=${token}; Domain=shop.test; Path=/; Secure; HttpOnly`, `=${cookieName}=${token}; Domain=shop.test; Path=/; Secure; HttpOnly`
    )
    await page.goto(site.url())
    t.strictSame(await fetched(page, '/get'), { user: 'ada' })
    t.strictSame(await browser.cookies(), before)
    await browser.clearCookies()
  }
})

inBrowsers('a cookie that does not open is not cleared, and the next login overwrites it', async (t, browser) => {
  const former = await shop(t, { key: OTHER_KEY })
  const page = await browser.newPage()
  await logIn(page, former)
  const [foreign] = await browser.cookies()
  const site = await shop(t)
  t.equal((await page.goto(site.url('/private')))?.status(), 401)
  t.strictSame(await browser.cookies(), [foreign], 'it may be good for another server of the same host')
  await logIn(page, site, 'grace')
  await jarHolds(t, browser, ['session@shop.test/'])
  t.strictSame(await fetched(page, '/get'), { user: 'grace' })
})
