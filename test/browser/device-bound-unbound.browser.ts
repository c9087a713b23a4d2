import type { BrowserContext } from 'playwright-core'
import type secureSession from '../../index'
import { fakeClock } from '../helpers/clock'
import { inBrowsers, newProfile } from './browsers'
import { asked, bindingShop, dropProof, forget, MINUTE_MS } from './device-bound'
import { jarHolds, logIn, namesIn, textOf } from './site'

const UNBOUND = { user: 'ada', bound: false }

inBrowsers('a user of a browser without device bound sessions stays logged in, and can log out', async (t, browser) => {
  const clock = fakeClock(t, Date.now())
  const shop = await bindingShop(t, { idle: '1d' })
  const page = await browser.newPage()
  await logIn(page, shop)
  const held = ['session.u@shop.test/', 'session@shop.test/']
  await jarHolds(t, browser, held)
  for (let hour = 0; hour < 20; hour += 10) {
    clock.advance(10 * 60 * MINUTE_MS)
    t.strictSame((await asked(page, '/me')).body, UNBOUND)
    t.equal((await page.reload())?.status(), 200)
  }
  await asked(page, '/set/lang/en')
  t.match((await asked(page, '/get')).body, { user: 'ada', lang: 'en' })
  await page.goto(shop.url(`/link?to=${shop.url('/private')}`, 'bank.test'))
  await page.click('a')
  await page.waitForSelector('text=welcome ada')
  const crossSite = shop.seen.filter(({ headers }) => headers['sec-fetch-site'] === 'cross-site')
  t.equal(crossSite.length, 1, 'a link has no detour')
  await logIn(page, shop, 'grace')
  t.strictSame((await asked(page, '/me')).body, { user: 'grace', bound: false })
  await page.click('button')
  t.equal(await textOf(page), 'who are you?')
  await jarHolds(t, browser, [])
  t.ok(shop.seen.every(({ url }) => !url.startsWith('/dbsc')), 'it never asked for anything of device bound sessions')
  t.ok(shop.seen.every(({ cookie }) => !namesIn(cookie).includes('session.d')))
})

inBrowsers('the pass outlives the browser if its session does', async (t, _shared, engine) => {
  const shop = await bindingShop(t, [{}, { sessionName: 'brief', persistent: false }], {
    after (app) {
      app.get('/brief', async request => {
        (request as unknown as { brief: secureSession.Session }).brief.set('user', 'ada')
        return {}
      })
    }
  })
  const profile = newProfile(t)
  const visiting = async (visit: (browser: BrowserContext) => Promise<void>): Promise<void> => {
    const browser = await engine.open(profile)
    try {
      await visit(browser)
    } finally {
      await browser.close()
    }
  }
  await visiting(async browser => {
    const page = await browser.newPage()
    await logIn(page, shop)
    await asked(page, '/brief')
    await jarHolds(t, browser, ['brief.u', 'brief', 'session.u', 'session'].map(name => `${name}@shop.test/`))
  })
  await visiting(async browser => {
    await jarHolds(t, browser, ['session.u@shop.test/', 'session@shop.test/'])
    const page = await browser.newPage()
    await page.goto(shop.url('/private'))
    t.equal(await textOf(page), 'welcome ada')
  })
})

inBrowsers('without its pass, a session of such a browser is for anonymous users', async (t, browser) => {
  const shop = await bindingShop(t)
  const page = await browser.newPage()
  await logIn(page, shop)
  await dropProof(browser, 'session.u')
  t.equal((await asked(page, '/me')).body.user, null)
  await logIn(page, shop)
  t.strictSame((await asked(page, '/me')).body, UNBOUND, 'and the next login gives another')
})

inBrowsers('a browser without its pass is shown the page for anonymous users, also by a link', async (t, browser) => {
  const shop = await bindingShop(t)
  const page = await browser.newPage()
  await logIn(page, shop)
  await dropProof(browser, 'session.u')
  for (const tail of ['', '#part']) {
    await page.goto(shop.url(`/link?to=${encodeURIComponent(shop.url(`/private${tail}`))}`, 'bank.test'))
    forget(shop.seen)
    await page.click('a')
    await page.waitForSelector('text=who are you?')
    t.equal(shop.seen.filter(({ url }) => url === '/private').length, 2, 'it is loaded again once')
    t.equal(page.url(), shop.url(`/private${tail}`))
  }
})
