import { EventEmitter, once } from 'node:events'
import type { FastifyInstance } from 'fastify'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import type secureSession from '../../index'
import { KEY } from '../helpers/app'
import { inBrowsers, newProfile, type Host } from './browsers'
import { html, logIn, shop, type Site } from './site'

/** What came to the shop, as who, by the ways in which another page can send a browser there. */
interface Arrivals {
  readonly typed: string
  readonly link: string
  readonly form: string
  readonly fetch: string
  readonly image: string
  readonly iframe: string
}

const STRANGER = 'nobody'

inBrowsers('SameSite=Lax: from another site only a link sends the session', async (t, browser) => {
  const { arrivals } = await visited(t, await browser.newPage(), 'bank.test', { sameSite: 'lax' })
  t.strictSame(arrivals, { typed: 'ada', link: 'ada', form: STRANGER, fetch: STRANGER, image: STRANGER, iframe: STRANGER })
})

inBrowsers('SameSite=Strict: from another site nothing sends the session; a typed URL does', async (t, browser) => {
  const { arrivals } = await visited(t, await browser.newPage(), 'bank.test', { sameSite: 'strict' })
  t.strictSame(arrivals, { typed: 'ada', link: STRANGER, form: STRANGER, fetch: STRANGER, image: STRANGER, iframe: STRANGER })
})

inBrowsers('a subdomain is the same site, so SameSite does not protect against it', async (t, browser) => {
  const { arrivals } = await visited(t, await browser.newPage(), 'evil.shop.test', { sameSite: 'strict' })
  t.strictSame(arrivals, { typed: 'ada', link: 'ada', form: 'ada', fetch: 'ada', image: 'ada', iframe: 'ada' })
})

inBrowsers('SameSite=None: a link or a form of another site sends the session', async (t, browser, engine) => {
  const { arrivals } = await visited(t, await browser.newPage(), 'bank.test', { sameSite: 'none' })
  t.strictSame(arrivals, { typed: 'ada', link: 'ada', form: 'ada', fetch: STRANGER, image: STRANGER, iframe: STRANGER })
  const admitting = await engine.open(newProfile(t), { admitsThirdParties: true })
  try {
    const { arrivals } = await visited(t, await admitting.newPage(), 'bank.test', { sameSite: 'none' })
    t.strictSame(arrivals, { typed: 'ada', link: 'ada', form: 'ada', fetch: 'ada', image: 'ada', iframe: 'ada' })
  } finally {
    await admitting.close()
  }
})

inBrowsers('without SameSite a form of another site sends a new session, unlike with Lax', async (t, browser) => {
  const { arrivals } = await visited(t, await browser.newPage(), 'bank.test', { sameSite: false })
  t.match(arrivals, { typed: 'ada', link: 'ada', form: 'ada' })
})

inBrowsers('with every SameSite, a form of another site can log a user in as another', async (t, browser) => {
  const { site, page } = await visited(t, await browser.newPage(), 'bank.test', { sameSite: 'strict' })
  await page.goto(site.url('/blank', 'bank.test'))
  await addAndClick(page, `<form method=post action=${site.url('/login')}><input name=user value=mallory><button>go</button></form>`, 'button')
  await page.waitForURL('**/private')
  await page.goto(site.url('/private'))
  t.equal(await page.textContent('p'), 'welcome mallory')
})

async function visited (t: Test, page: Page, from: Host, cookie: secureSession.SessionOptions['cookie'] & object): Promise<{ site: Site, page: Page, arrivals: Arrivals }> {
  const users = new Map<string, string>()
  const arrivals = new EventEmitter()
  const site = await shop(t, { key: KEY, cookie }, app => {
    arrivalRoute(app, (way, user) => {
      users.set(way, user)
      arrivals.emit(way)
    })
  })
  await logIn(page, site)
  await page.goto(site.url('/arrive/typed'))
  const sends: Array<[string, (url: string) => Promise<unknown>]> = [
    ['link', async url => { await addAndClick(page, `<a href=${url}>go</a>`, 'a') }],
    ['form', async url => { await addAndClick(page, `<form method=post action=${url}><button>go</button></form>`, 'button') }],
    ['fetch', async url => { await page.evaluate(async url => { await fetch(url, { mode: 'no-cors', credentials: 'include' }) }, url) }],
    ['image', async url => { await page.evaluate(url => { new Image().src = url }, url) }],
    ['iframe', async url => { await page.evaluate(url => { document.body.innerHTML = `<iframe src=${url}></iframe>` }, url) }]
  ]
  for (const [way, send] of sends) {
    await page.goto(site.url('/blank', from))
    const arrived = once(arrivals, way)
    await send(site.url(`/arrive/${way}`))
    await arrived
  }
  return { site, page, arrivals: Object.fromEntries(users) as unknown as Arrivals }
}

function arrivalRoute (app: FastifyInstance, arrived: (way: string, user: string) => void): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/arrive/:way',
    async handler ({ session, params }, reply) {
      arrived((params as { way: string }).way, session.get('user') ?? STRANGER)
      return html(reply, '<p>arrived</p>')
    }
  })
}

async function addAndClick (page: Page, body: string, selector: string): Promise<void> {
  await page.evaluate(body => { document.body.innerHTML = body }, body)
  await page.click(selector)
}
