import type { Page } from 'playwright-core'
import { KEY } from '../helpers/app'
import { ATTRIBUTES, LINE } from '../splitting/sized'
import { inBrowsers } from './browsers'
import { fetched, jarHolds, shop, site } from './site'

/** RFC 6265bis section 5.6: of name and value together. */
const MOST_BYTES = 4096
/** What a line of 4,093 bytes has for name and value beside the attributes of a session by default. */
const FULLEST = LINE - ATTRIBUTES.length - '='.length

inBrowsers('a browser keeps a cookie of 4096 bytes of name and value and drops one of 4097', async (t, browser) => {
  const { url } = await site(t, app => {
    app.get('/set', async (_request, reply) => {
      for (const [name, bytes] of [['kept', MOST_BYTES], ['dropped', MOST_BYTES + 1]] as const) {
        reply.header('set-cookie', `${name}=${'v'.repeat(bytes - name.length)}; Path=/; HttpOnly; Secure; SameSite=Lax; Priority=High; Max-Age=1000`)
      }
      return {}
    })
  })
  await (await browser.newPage()).goto(url('/set'))
  await jarHolds(t, browser, ['kept@shop.test/'])
})

inBrowsers('the fullest session is kept; one byte more is refused, and the old session stays', async (t, browser) => {
  const page = await browser.newPage()
  // Three bytes make four characters, so names of different lengths leave different rests.
  for (const cookieName of ['session', '__Host-session', 'shop', 'a']) {
    const site = await shop(t, { key: KEY, cookieName }, app => {
      app.get('/fill/:length', async ({ session, params }) => {
        session.set('text', 'x'.repeat(Number((params as { length: string }).length)))
        return {}
      })
    })
    await page.goto(site.url())
    const length = await longestText(page, cookieName)
    t.equal((await fetched(page, `/fill/${length + 1}`)).code, 'FST_SESSION_TOO_LARGE')
    const [cookie] = await browser.cookies()
    const bytes = cookieName.length + (cookie?.value.length ?? 0)
    t.ok(bytes <= FULLEST && bytes > FULLEST - 2, `${cookieName}: ${bytes}`)
    t.strictSame(await fetched(page, '/get'), { text: 'x'.repeat(length) })
    await browser.clearCookies()
  }
})

/** Tried near where it must be: three bytes make four characters. */
async function longestText (page: Page, cookieName: string): Promise<number> {
  await fetched(page, '/fill/2000')
  const [cookie] = await page.context().cookies()
  const room = FULLEST - cookieName.length - (cookie?.value.length ?? 0)
  let length = 2000 + Math.floor(room / 4) * 3 - 1
  while ((await fetched(page, `/fill/${length + 1}`)).code === undefined) length++
  return length
}

inBrowsers('browsers ignore an attribute of more than 1024 bytes, so a path has at most 1024', async (t, browser) => {
  const longest = `/${'p'.repeat(1023)}`
  const { url } = await site(t, app => {
    app.get(`${longest}/set`, async (_request, reply) => {
      reply.header('set-cookie', `a=1; Path=${longest}`)
      reply.header('set-cookie', `b=1; Path=${longest}p`)
      return {}
    })
  })
  const page = await browser.newPage()
  await page.goto(url(`${longest}/set`))
  t.strictSame((await browser.cookies()).map(({ name, path }) => `${name} ${path.length}`), ['a 1024', 'b 1024'])
  const own = await shop(t, { key: KEY, cookie: { path: longest } }, app => {
    app.get(`${longest}/set`, async ({ session }) => { session.set('user', 'ada'); return {} })
    app.get(`${longest}/get`, async ({ session }) => session.data())
  })
  await page.goto(own.url(`${longest}/set`))
  t.strictSame(await fetched(page, `${longest}/get`), { user: 'ada' })
  await t.rejects(shop(t, { key: KEY, cookie: { path: `${longest}p` } }), { code: 'FST_SESSION_INVALID_OPTION' })
})
