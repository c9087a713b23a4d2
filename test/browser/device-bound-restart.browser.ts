import type { BrowserContext } from 'playwright-core'
import t from 'tap'
import { BINDING_CHROMIUM, newProfile } from './browsers'
import { asked, bindingShop, boundUser, brief, cookieNames, dropProof, forget, REFRESH } from './device-bound'
import { logIn, textOf } from './site'

async function opened (profile: string, visit: (browser: BrowserContext) => Promise<void>): Promise<void> {
  const browser = await BINDING_CHROMIUM.open(profile)
  try {
    await visit(browser)
  } finally {
    await browser.close()
  }
}

t.test('Chromium: a bound session survives a restart of the browser, by the key in its profile', async t => {
  const profile = newProfile(t)
  const shop = await bindingShop(t)
  await opened(profile, async browser => { await boundUser(browser, shop) })
  await opened(profile, async browser => {
    await dropProof(browser)
    forget(shop.seen)
    const page = await browser.newPage()
    await page.goto(shop.url('/private'))
    t.equal(await textOf(page), 'welcome ada')
    const refreshes = Array.from({ length: 2 }, () => `POST ${REFRESH} session`)
    t.strictSame(brief(shop.seen), [...refreshes, 'GET /private session,session.d'], 'in two trips')
    t.strictSame((await asked(page, '/me')).body, { user: 'ada', bound: true })
    t.strictSame(await cookieNames(browser), ['session', 'session.d'])
  })
})

t.test('Chromium: a bound session that is not persistent ends with the browser, and a new login is bound', async t => {
  const profile = newProfile(t)
  const shop = await bindingShop(t, { persistent: false })
  await opened(profile, async browser => { await boundUser(browser, shop) })
  await opened(profile, async browser => {
    t.strictSame((await cookieNames(browser)).filter(name => name !== 'session.d'), [])
    const page = await browser.newPage()
    await page.goto(shop.url('/private'))
    t.equal(await textOf(page), 'who are you?')
    await page.close()
    const { page: again } = await boundUser(browser, shop)
    t.strictSame((await asked(again, '/me')).body, { user: 'ada', bound: true })
  })
})

t.test('Chromium: a browser that is closed right after the login is logged in when it starts again', async t => {
  const profile = newProfile(t)
  const shop = await bindingShop(t)
  await opened(profile, async browser => {
    await logIn(await browser.newPage(), shop)
  })
  await opened(profile, async browser => {
    const page = await browser.newPage()
    await page.goto(shop.url('/private'))
    t.equal(await textOf(page), 'welcome ada')
    // It may have registered before it was closed, or not.
    const { user, bound } = (await asked(page, '/me')).body
    t.equal(user, 'ada')
    t.ok((await cookieNames(browser)).includes(bound ? 'session.d' : 'session.u'))
  })
})
