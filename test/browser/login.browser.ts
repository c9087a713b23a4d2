import { inBrowsers } from './browsers'
import { fetched, jarHolds, logIn, namesIn, shop, textOf } from './site'

inBrowsers('a user who logs in with a form sees a private page until the logout', async (t, browser) => {
  const site = await shop(t)
  const page = await browser.newPage()
  t.equal((await page.goto(site.url('/private')))?.status(), 401)
  await page.click('a')
  await page.fill('input', 'grace')
  await page.click('button')
  t.equal(await textOf(page), 'welcome grace')
  t.equal((await page.reload())?.status(), 200)
  t.equal(await textOf(page), 'welcome grace')
  await jarHolds(t, browser, ['session@shop.test/'])
  await page.click('button')
  t.equal(await textOf(page), 'who are you?')
  await jarHolds(t, browser, [])
  await page.reload()
  t.strictSame(site.seen.map(({ method, url, cookie }) => `${method} ${url} ${namesIn(cookie).join()}`), [
    'GET /private ', 'GET /login ', 'POST /login ', 'GET /private session', 'GET /private session', 'POST /logout session', 'GET /private ', 'GET /private '
  ])
})

inBrowsers('the cookie is HttpOnly, Secure, Lax, for this host, and ends with the browser', async (t, browser) => {
  const site = await shop(t)
  await logIn(await browser.newPage(), site)
  const [{ value, ...cookie }] = await browser.cookies() as [any]
  t.match(cookie, { name: 'session', domain: 'shop.test', path: '/', httpOnly: true, secure: true, sameSite: 'Lax', expires: -1 })
  t.equal((await site.app.inject({ url: '/get', headers: { cookie: `session=${value}` } })).json().user, 'ada')
})

inBrowsers('no script of a page can read the session, and a fetch of the page sends it', async (t, browser) => {
  const site = await shop(t)
  const page = await browser.newPage()
  await logIn(page, site)
  t.equal(await page.evaluate(() => document.cookie), '')
  t.strictSame(await page.evaluate(async () => 'cookieStore' in window ? await (window as any).cookieStore.getAll() : []), [])
  t.strictSame(await fetched(page, '/get'), { user: 'ada' })
  t.strictSame(await page.evaluate(async () => {
    const { headers } = await fetch('/set/lang/en')
    return [headers.get('set-cookie'), headers.get('cache-control')]
  }), [null, 'no-store'])
  t.strictSame(await fetched(page, '/get'), { user: 'ada', lang: 'en' }, 'what a fetch sets is kept')
  t.strictSame(await fetched(page, '/get', { credentials: 'omit' }), {}, 'unless the page says not to send it')
})

inBrowsers('a script can neither overwrite nor clear the session', async (t, browser) => {
  const site = await shop(t)
  const page = await browser.newPage()
  await logIn(page, site)
  for (const line of ['session=x', 'session=; max-age=0', 'session=x; path=/; secure', 'session=; path=/; secure; max-age=0']) {
    await page.evaluate(line => { document.cookie = line }, line)
    t.strictSame(await fetched(page, '/get'), { user: 'ada' }, line)
  }
  await jarHolds(t, browser, ['session@shop.test/'])
})
