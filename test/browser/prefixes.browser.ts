import type secureSession from '../../index'
import { KEY } from '../helpers/app'
import { inBrowsers } from './browsers'
import { fetched, jarHolds, logIn, shop, site, type Site } from './site'

const PREFIXED = ['__Host-Http-session', '__Host-session', '__Http-session', '__Secure-session']

inBrowsers('cookies with each of the prefixes are kept, sent, and cleared', async (t, browser) => {
  const site = await shop(t, PREFIXED.map(cookieName => ({ key: KEY, sessionName: cookieName, cookieName })), app => {
    const all = (request: unknown): secureSession.Session[] => PREFIXED.map(name => (request as Record<string, secureSession.Session>)[name] as secureSession.Session)
    app.get('/set-all', async request => { for (const session of all(request)) session.set('user', 'ada'); return {} })
    app.get('/get-all', async request => all(request).map(session => session.get('user') ?? null))
    app.get('/delete-all', async request => { for (const session of all(request)) session.delete(); return {} })
  })
  const page = await browser.newPage()
  await page.goto(site.url('/set-all'))
  await jarHolds(t, browser, PREFIXED.map(name => `${name}@shop.test/`))
  t.strictSame(await fetched(page, '/get-all'), PREFIXED.map(() => 'ada'))
  t.equal(await page.evaluate(() => document.cookie), '')
  await fetched(page, '/delete-all')
  await jarHolds(t, browser, [])
})

inBrowsers('options that are refused at boot make cookies that the browser drops', async (t, browser) => {
  const lines = [
    '__Host-a=1; Path=/', '__Host-b=1; Secure; Path=/x', '__Host-c=1; Secure; Path=/; Domain=shop.test', '__Secure-d=1; Path=/', '__HOST-e=1; Path=/',
    '__Http-f=1; Path=/; Secure', '__Http-g=1; Path=/; HttpOnly', '__Host-Http-h=1; Path=/; Secure', '__Host-Http-i=1; Path=/x; Secure; HttpOnly',
    'j=1; Path=/; SameSite=None', 'k=1; Path=/; Partitioned', '__Host-kept=1; Path=/; Secure', 'kept=1; Path=/; SameSite=None; Secure; Partitioned'
  ]
  const { url } = await site(t, app => {
    app.get('/x/set', async (_request, reply) => { for (const line of lines) reply.header('set-cookie', line); return {} })
  })
  await (await browser.newPage()).goto(url('/x/set'))
  await jarHolds(t, browser, ['__Host-kept@shop.test/', 'kept@shop.test/'])
  for (const line of lines.filter(line => !line.includes('kept'))) {
    const [cookieName, ...attributes] = line.replace('=1', '').split('; ') as [string, ...string[]]
    await t.rejects(shop(t, { key: KEY, cookieName, cookie: attributesOf(attributes) }), { code: 'FST_SESSION_INVALID_OPTION' }, line)
  }
})

/** What a line says, and nothing by default. */
function attributesOf (attributes: readonly string[]): object {
  const value = (name: string): string | undefined => attributes.find(attribute => attribute.startsWith(`${name}=`))?.slice(name.length + 1)
  const has = (name: string): boolean => attributes.includes(name)
  return {
    path: value('Path'),
    domain: value('Domain'),
    secure: has('Secure'),
    httpOnly: has('HttpOnly'),
    sameSite: value('SameSite')?.toLowerCase() ?? false,
    partitioned: has('Partitioned')
  }
}

inBrowsers('over plain http, a Secure session or one with a prefix is not kept', async (t, browser) => {
  const page = await browser.newPage()
  for (const options of [{ cookieName: '__Host-session' }, { cookieName: '__Secure-session' }, { cookie: { secure: true } }, { cookie: { sameSite: 'none' } }] as const) {
    const { url } = await plainShop(t, options)
    await page.goto(url('/set/user/ada'))
    await jarHolds(t, browser, [], JSON.stringify(options))
    t.strictSame(await fetched(page, '/get'), {})
  }
})

inBrowsers('over plain http, a session with the default options is kept and sent', async (t, browser) => {
  const site = await plainShop(t)
  const page = await browser.newPage()
  await logIn(page, site)
  t.match(await browser.cookies(), [{ name: 'session', secure: false, httpOnly: true }])
  t.strictSame(await fetched(page, '/get'), { user: 'ada' })
})

inBrowsers('a Secure session is not sent over plain http, and plain http cannot overwrite it', async (t, browser) => {
  const secure = await shop(t)
  const plain = await plainShop(t)
  const page = await browser.newPage()
  await logIn(page, secure)
  const before = await browser.cookies()
  await page.goto(plain.url('/get'))
  t.equal(plain.seen[0]?.cookie, undefined)
  await page.goto(plain.url('/set/user/mallory'))
  t.strictSame(await browser.cookies(), before)
  await page.goto(plain.url('/delete'))
  t.strictSame(await browser.cookies(), before)
})

async function plainShop (t: Parameters<typeof shop>[0], options = {}): Promise<Site> {
  return await shop(t, { key: KEY, ...options }, undefined, { https: null })
}
