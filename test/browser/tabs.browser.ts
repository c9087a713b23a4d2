import { KEY } from '../helpers/app'
import { inBrowsers } from './browsers'
import { fetched, jarHolds, logIn, shop, textOf } from './site'

inBrowsers('a logout in one tab is effective for the next request of another', async (t, browser) => {
  const site = await shop(t)
  const [one, other] = [await browser.newPage(), await browser.newPage()]
  await logIn(one, site)
  await other.goto(site.url('/private'))
  t.equal(await textOf(other), 'welcome ada')
  await one.click('button')
  await one.waitForSelector('text=who are you?')
  t.strictSame(await fetched(other, '/get'), {})
  t.equal((await other.reload())?.status(), 401)
})

inBrowsers('a login as another user in one tab changes the user of the other tab, too', async (t, browser) => {
  const site = await shop(t)
  const [one, other] = [await browser.newPage(), await browser.newPage()]
  await logIn(one, site)
  await logIn(other, site, 'grace')
  t.strictSame(await fetched(one, '/get'), { user: 'grace' })
  await jarHolds(t, browser, ['session@shop.test/'])
})

inBrowsers('if two tabs write at once the last response wins, and the user stays logged in', async (t, browser) => {
  let arrived = 0
  let open = (): void => {}
  const both = new Promise<void>(resolve => { open = resolve })
  const site = await shop(t, { key: KEY }, app => {
    app.get('/together/:key', async ({ session, params }) => {
      session.set((params as { key: string }).key, true)
      if (++arrived === 2) open()
      await both
      return {}
    })
  })
  const [one, other] = [await browser.newPage(), await browser.newPage()]
  await logIn(one, site)
  await other.goto(site.url())
  await Promise.all([fetched(one, '/together/left'), fetched(other, '/together/right')])
  const data = await fetched(one, '/get')
  t.strictSame(await fetched(other, '/get'), data)
  t.equal(data.user, 'ada')
  t.ok('left' in data !== 'right' in data, 'one of them')
})
