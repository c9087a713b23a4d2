import type { FastifyInstance } from 'fastify'
import type { BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'
import type secureSession from '../../index'
import { KEY } from '../helpers/app'
import { inBrowsers } from './browsers'
import { fetched, jarHolds, namesIn, shop, type Site } from './site'

/** Bytes of text that need as many cookies. */
const ONE = 1000
const TWO = 5000
const THREE = 8000
const FOUR = 9500

function sized (app: FastifyInstance): void {
  app.get('/fill/:bytes', async ({ session, params }) => {
    session.set('user', 'ada')
    session.set('text', 'x'.repeat(Number((params as { bytes: string }).bytes)))
    return {}
  })
  app.get('/bytes', async ({ session }) => [session.get('user') ?? null, session.get('text')?.length ?? 0])
  app.get('/raw', async ({ query }, reply) => {
    reply.header('set-cookie', (query as { line: string }).line)
    return {}
  })
}

async function open (t: Test, browser: BrowserContext, options: Partial<secureSession.SessionOptions> = {}, server = {}): Promise<{ site: Site, page: Page }> {
  const site = await shop(t, { key: KEY, maxCookies: 3, ...options }, sized, server)
  const page = await browser.newPage()
  await page.goto(site.url())
  return { site, page }
}

inBrowsers('a split session is read back, shrinks, grows, and is deleted with every part', async (t, browser) => {
  for (const cookieName of ['session', '__Host-session']) {
    const { site, page } = await open(t, browser, { cookieName })
    const parts = (...suffixes: string[]): string[] => suffixes.map(suffix => `${cookieName}${suffix}@shop.test/`).sort()
    for (const [bytes, expected] of [[THREE, parts('', '.1', '.2')], [ONE, parts('')], [TWO, parts('', '.1')], [THREE, parts('', '.1', '.2')], [TWO, parts('', '.1')]] as const) {
      await fetched(page, `/fill/${bytes}`)
      await jarHolds(t, browser, expected)
      t.strictSame(await fetched(page, '/bytes'), ['ada', bytes])
    }
    const lengths = (await browser.cookies()).map(({ value }) => value.length)
    t.ok(Math.max(...lengths) - Math.min(...lengths) < 2, 'cut into parts of one length')
    t.strictSame(await page.evaluate(() => document.cookie), '')
    t.strictSame(namesIn(site.seen.at(-1)?.cookie).sort(), [cookieName, `${cookieName}.1`])
    await fetched(page, '/delete')
    await jarHolds(t, browser, [])
    await page.close()
  }
})

inBrowsers('a session that no longer fits fails its request, and the old one stays complete', async (t, browser) => {
  const { page } = await open(t, browser)
  await fetched(page, `/fill/${THREE}`)
  const before = await browser.cookies()
  t.match(await fetched(page, `/fill/${FOUR}`), { statusCode: 500, code: 'FST_SESSION_TOO_LARGE' })
  t.strictSame(await browser.cookies(), before)
  t.strictSame(await fetched(page, '/bytes'), ['ada', THREE])
})

inBrowsers('a left-over part is ignored and then cleared; cookies with similar names stay', async (t, browser) => {
  const { page } = await open(t, browser)
  await fetched(page, `/fill/${ONE}`)
  for (const line of ['session.1=junk; Path=/; Secure; HttpOnly', 'session.2=; Path=/', 'session.3=mine; Path=/', 'sessionX=mine; Path=/', 'session.10=mine; Path=/']) await fetched(page, `/raw?line=${encodeURIComponent(line)}`)
  t.strictSame(await fetched(page, '/bytes'), ['ada', ONE])
  await fetched(page, `/fill/${ONE + 1}`)
  await jarHolds(t, browser, ['session.10@shop.test/', 'session.3@shop.test/', 'session@shop.test/', 'sessionX@shop.test/'])
})

inBrowsers('parts that a subdomain sets do not break a split session', async (t, browser) => {
  const { site, page } = await open(t, browser)
  await fetched(page, `/fill/${THREE}`)
  for (const line of ['session.1=junk; Domain=shop.test; Path=/', 'session.2=junk; Domain=shop.test; Path=/bytes', 'session=junk; Domain=shop.test; Path=/bytes']) {
    await page.goto(site.url(`/raw?line=${encodeURIComponent(line)}`, 'evil.shop.test'))
    await page.goto(site.url())
    t.strictSame(await fetched(page, '/bytes'), ['ada', THREE], line)
  }
  t.equal(namesIn((site.seen.at(-1))?.cookie).length, 6)
})

inBrowsers('parallel writes of a long and a short session leave one of the two complete', async (t, browser) => {
  const { page } = await open(t, browser)
  for (const bytes of [[THREE, ONE], [ONE, TWO], [TWO, THREE]] as const) {
    await page.evaluate(async bytes => { await Promise.all(bytes.map(async bytes => await fetch(`/fill/${bytes}`))) }, bytes)
    const [user, found] = await fetched(page, '/bytes')
    t.equal(user, 'ada')
    t.ok((bytes as readonly number[]).includes(found), `${found}`)
  }
})

inBrowsers('over HTTP/2, with one field per cookie, a split session is complete', async (t, browser) => {
  const { site, page } = await open(t, browser, { cookieName: '__Host-session' }, { http2: true })
  const protocol = await page.evaluate(() => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).nextHopProtocol)
  t.equal(protocol, 'h2')
  await fetched(page, `/fill/${THREE}`)
  t.strictSame(await fetched(page, '/bytes'), ['ada', THREE])
  t.strictSame(namesIn(site.seen.at(-1)?.cookie).sort(), ['__Host-session', '__Host-session.1', '__Host-session.2'])
  await fetched(page, `/fill/${ONE}`)
  await jarHolds(t, browser, ['__Host-session@shop.test/'])
  await page.reload()
  t.strictSame(await fetched(page, '/bytes'), ['ada', ONE])
})
