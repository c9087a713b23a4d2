import { KEY } from '../helpers/app'
import { inBrowsers } from './browsers'
import { fetched, logIn, shop } from './site'

/** More than a browser keeps for one domain and all under it. */
const FLOOD = 400

inBrowsers('a subdomain that sets many cookies logs the user out, except with high priority in Chromium', async (t, browser, { name }) => {
  const outcomes = name === 'Chromium' ? [['medium', undefined], ['high', 'ada']] as const : [['high', undefined]] as const
  for (const [priority, expected] of outcomes) {
    const site = await shop(t, { key: KEY, cookieName: '__Host-session', cookie: { priority } })
    const page = await browser.newPage()
    await logIn(page, site)
    await page.goto(site.url('/blank', 'evil.shop.test'))
    await page.evaluate(count => {
      for (let number = 0; number < count; number++) document.cookie = `flood${number}=x; Domain=shop.test; Path=/; Secure`
    }, FLOOD)
    await page.goto(site.url())
    t.equal((await fetched(page, '/get')).user, expected, priority)
    await logIn(page, site, 'grace')
    t.match(await fetched(page, '/get'), { user: 'grace' }, 'and a new login stands')
    await browser.clearCookies()
    await page.close()
  }
})
