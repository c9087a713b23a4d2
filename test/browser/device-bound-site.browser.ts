import type { FastifyInstance } from 'fastify'
import type { BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'
import { freePort } from '../helpers/redis-server'
import { BINDING_CHROMIUM, newProfile, type Host } from './browsers'
import {
  asked, bindingEvents, bindingShop, committed, cookieNames, dropProof, forget, inChromium, REFRESH, until
} from './device-bound'
import { logIn, type Site } from './site'

const WELL_KNOWN = '/.well-known/device-bound-sessions'

/** Pages may ask all hosts, with cookies. */
function cors (app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers: { origin } }, reply) => {
    if (origin === undefined) return
    reply.headers({ 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' })
  })
}

/** A session of all subdomains. A browser of its own: what is bound to a site is so at all of its ports. */
async function siteWide (t: Test, registering: readonly Host[]): Promise<{ browser: BrowserContext, shop: Site }> {
  const browser = await BINDING_CHROMIUM.open(newProfile(t))
  t.teardown(async () => { await browser.close() })
  const port = await freePort()
  const origin = (host: Host): string => `https://${host}:${port}`
  const shop = await bindingShop(t, { cookie: { domain: 'shop.test' }, deviceBound: { site: origin('shop.test') } }, {
    before: cors,
    after (app) {
      app.get(WELL_KNOWN, async () => ({ registering_origins: registering.map(origin) }))
    }
  }, { port })
  return { browser, shop }
}

async function loggedIn (browser: BrowserContext, shop: Site, host: Host): Promise<{ page: Page, events: string[] }> {
  const page = await browser.newPage()
  const events = await bindingEvents(page)
  await logIn(page, shop, 'ada', host)
  await until('a registration', () => events.some(event => event.startsWith('created')))
  return { page, events }
}

const ADA = { user: 'ada', bound: true }
const CREDENTIALS = { credentials: 'include' }

inChromium('with the option site, a page of any subdomain signs for requests to any other', async t => {
  const { browser, shop } = await siteWide(t, [])
  const { page, events } = await loggedIn(browser, shop, 'shop.test')
  await committed(page, events)
  const [bare, www] = ['shop.test', 'www.shop.test'] as const
  for (const [from, to] of [[www, bare], [www, www], [bare, www]] as const) {
    await page.goto(shop.url('/blank', from))
    await dropProof(browser)
    t.strictSame((await asked(page, shop.url('/me', to), CREDENTIALS)).body, ADA, `${from} asks ${to}`)
  }
  await page.goto(shop.url(`/link?to=${shop.url('/private')}`, 'www.shop.test'))
  await dropProof(browser)
  forget(shop.seen)
  await page.click('a')
  await page.waitForSelector('text=welcome ada')
  t.strictSame(shop.seen.map(({ url }) => url), [REFRESH, '/private'], 'a link needs no detour')
})

inChromium('a subdomain registers for the site if the site lists it, and else keeps its pass', async t => {
  for (const isListed of [true, false]) {
    const { browser, shop } = await siteWide(t, isListed ? ['www.shop.test'] : [])
    const { page, events } = await loggedIn(browser, shop, 'www.shop.test')
    const result = isListed ? 'Success' : 'SubdomainRegistrationUnauthorized'
    t.strictSame(events.filter(event => event.startsWith('created')), [`created: ${result}`])
    const wellKnown = shop.seen.filter(({ url }) => url === WELL_KNOWN)
    t.strictSame(wellKnown.map(({ host, cookie }) => [host, cookie]), [['shop.test', undefined]])
    if (isListed) await committed(page, events)
    else await dropProof(browser)
    t.strictSame((await asked(page, '/me')).body, { user: 'ada', bound: isListed })
    t.strictSame(await cookieNames(browser), isListed ? ['session', 'session.d'] : ['session', 'session.u'])
  }
})

inChromium('without the option site, pages of a subdomain get 401 once the proof is over', async (t, browser) => {
  const shop = await bindingShop(t, {}, { before: cors })
  const { page, events } = await loggedIn(browser, shop, 'shop.test')
  await committed(page, events)
  await page.goto(shop.url('/blank', 'www.shop.test'))
  t.strictSame((await asked(page, shop.url('/me'), CREDENTIALS)).body, ADA)
  await dropProof(browser)
  const { status, body } = await asked(page, shop.url('/me'), CREDENTIALS)
  t.strictSame([status, body.code], [401, 'FST_SESSION_UNPROVEN'])
  await page.goto(shop.url())
  t.strictSame((await asked(page, '/me')).body, ADA, 'and the session is as it was')
})
