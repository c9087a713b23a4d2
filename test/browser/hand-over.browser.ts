import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import type { FastifyInstance } from 'fastify'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import secureSession from '../../index'
import { KEY } from '../helpers/app'
import { inBrowsers } from './browsers'
import { fetched, html, logIn, namesIn, shop as siteWith, textOf, type Seen, type Site } from './site'

interface Sites {
  /** Where users log in: `bank.test`. */
  readonly accounts: Site
  /** Where they come from there: `shop.test`, another site. */
  readonly shop: Site
}

/** Two sites with keys of their own, and a key for what one hands over to the other. */
async function sites (t: Test, options: Partial<secureSession.SessionOptions> = {}): Promise<Sites> {
  const [accountsPort, shopPort] = [await freePort(), await freePort()]
  const [sender, receiver] = [`https://bank.test:${accountsPort}/hand-over`, `https://shop.test:${shopPort}/welcome`]
  const common = { cookieName: '__Host-session', subject: (session: secureSession.Session) => session.get('user'), ...options }
  const handOver = { key: 'c3'.repeat(32) }
  const accounts = await siteWith(t, { ...common, key: KEY, handOver: { ...handOver, send: { at: sender, to: [receiver] } } }, app => {
    app.get('/hand-over', { onRequest: app.requireSession({ redirectTo: '/log-in', returnTo: 'next' }) }, (_request, reply) => reply.handOver({ keep: ['user'] }))
    // Not kept in memory for the back button: the tests could not see when such a page is back.
    app.get('/log-in', async (request, reply) => html(reply.header('cache-control', 'no-store'), `<form method=post><input type=hidden name=next value="${app.secureSession.returnPath(request)}"><input name=user><button>log in</button></form>`.replaceAll('&', '&amp;')))
    app.post('/log-in', async (request, reply) => {
      request.session.regenerate()
      request.session.set('user', (request.body as { user: string }).user)
      return await reply.redirect(app.secureSession.returnPath(request), 303)
    })
    addEverywhere(app)
  }, { port: accountsPort })
  const shop = await siteWith(t, { ...common, key: Buffer.alloc(32, 7), handOver: { ...handOver, receive: { at: receiver, from: [sender], then: '/private' } } }, app => {
    app.get('/start', async (_request, reply) => html(reply, '<a href=/begin>log in</a>'))
    app.get('/begin', (_request, reply) => reply.beginHandOver())
    addEverywhere(app)
  }, { port: shopPort })
  return { accounts, shop }
}

function addEverywhere (app: FastifyInstance): void {
  app.post('/logout-everywhere', async ({ session }, reply) => {
    await app.secureSession.revokeSubject(session.get('user'))
    session.delete()
    return await reply.redirect('/private', 303)
  })
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => { server.close(resolve) })
  return port
}

const ENTER = 'log in'

async function begin (page: Page, { shop }: Sites): Promise<void> {
  await page.goto(shop.url('/start'))
  await page.click(`text=${ENTER}`)
}

inBrowsers('a user logs in at one site and begins a session at another; the back button and a reload begin no second one', async (t, browser) => {
  const all = await sites(t)
  const { accounts, shop } = all
  const page = await browser.newPage()
  await begin(page, all)
  await page.fill('input[name=user]', 'ada')
  await page.click('button')
  await page.waitForSelector('text=welcome ada')
  t.equal(page.url(), shop.url('/private'))
  const posts = (): Seen[] => shop.seen.filter(({ method }) => method === 'POST')
  t.strictSame(posts().map(({ url, cookie }) => [url, namesIn(cookie)]), [['/welcome', []], ['/welcome', ['__Host-session.h']]])
  t.ok(posts().every(({ headers: { referer } }) => referer === undefined), 'no page sends a Referer')
  t.notOk([...shop.seen, ...accounts.seen].some(({ url }) => url.includes('ticket')), 'and no URL has the ticket')
  t.strictSame((await browser.cookies(shop.url())).map(({ name }) => name), ['__Host-session'])

  const id = (await fetched(page, '/info')).id
  await page.reload()
  t.equal(await textOf(page), 'welcome ada')
  // Neither page with a form has an entry in the history: one step back is the login.
  await page.evaluate(() => { setTimeout(() => { history.back() }) })
  await page.waitForSelector('input[name=user]')
  t.match(page.url(), accounts.url('/log-in', 'bank.test'))
  await page.goto(shop.url('/private'))
  t.equal((await fetched(page, '/info')).id, id)
  t.equal(posts().length, 2)
})

inBrowsers('who is logged in needs no login; in two tabs at once, both arrive', async (t, browser) => {
  const all = await sites(t)
  const [one, two] = [await browser.newPage(), await browser.newPage()]
  await logIn(one, all.accounts, 'ada', 'bank.test')
  await one.goto(all.shop.url('/start'))
  await two.goto(all.shop.url('/start'))
  await one.click(`text=${ENTER}`)
  await one.waitForSelector('text=welcome ada')
  await two.click(`text=${ENTER}`)
  await two.waitForSelector('text=welcome ada')
})

inBrowsers('a logout ends the session of one site; with a shared store, a logout everywhere ends both', async (t, browser) => {
  const revocation = { store: secureSession.memoryRevocation(), recheck: 0.001 }
  const all = await sites(t, { revocation })
  const { accounts, shop } = all
  const page = await browser.newPage()
  await logIn(page, accounts, 'ada', 'bank.test')
  await begin(page, all)
  await page.waitForSelector('text=welcome ada')
  await page.click('button')
  await page.waitForSelector('text=who are you')
  await page.goto(accounts.url('/private', 'bank.test'))
  t.equal(await textOf(page), 'welcome ada')
  await begin(page, all)
  await page.waitForSelector('text=welcome ada')
  await fetched(page, '/logout-everywhere', { method: 'POST' })
  for (const url of [accounts.url('/private', 'bank.test'), shop.url('/private')]) {
    await page.goto(url)
    t.equal(await textOf(page), 'who are you?')
  }
})

inBrowsers('a page of an attacker cannot log a victim in with a ticket of the attacker', async (t, browser) => {
  const all = await sites(t)
  const { accounts, shop } = all
  // The attacker has a ticket of a flow that another browser has begun.
  const begun = await shop.app.inject({ url: '/begin', headers: { host: new URL(shop.url()).host } })
  const { search } = new URL(String(begun.headers.location))
  const cookies = accounts.app.secureSession.cookiesFor({ user: 'mallory' })
  const form = (await accounts.app.inject({ url: `/hand-over${search}`, cookies })).body
  const [ticket, flow] = ['ticket', 'flow'].map(name => new RegExp(`name="${name}" value="([^"]*)"`).exec(form)?.[1])
  const page = await browser.newPage()
  // The victim has begun a flow, too.
  await page.goto(shop.url('/start'))
  await page.goto(shop.url('/begin'))
  for (const repeated of ['', '<input name=repeated value=1>']) {
    await page.goto(shop.url('/blank', 'bank.test'))
    await page.evaluate(body => { document.body.innerHTML = body },
      `<form method=post action=${shop.url('/welcome')}><input name=ticket value=${ticket}><input name=flow value=${flow}>${repeated}<button>win</button></form>`)
    await page.click('button')
    await page.waitForSelector('text=hand-over-refused')
    await page.goto(shop.url('/private'))
    t.equal(await textOf(page), 'who are you?')
  }
  t.strictSame(shop.app.lines.flatMap(({ reason }) => reason ?? []), ['unknown-flow', 'unknown-flow'])
})

/** What the API sees of a page at `www.shop.test` and of one at `bank.test`. */
inBrowsers('a page and an API on two subdomains: what is sent, with each SameSite', async (t, browser) => {
  const page = await browser.newPage()
  const table: Record<string, unknown> = {}
  for (const sameSite of ['strict', 'lax', 'none'] as const) {
    const api = await siteWith(t, { key: KEY, cookie: { sameSite, secure: true } }, app => {
      // A mistake on purpose: it allows every origin, so that only SameSite decides.
      app.addHook('onRequest', async ({ headers: { origin }, method }, reply) => {
        if (origin === undefined) return
        reply.headers({ 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', vary: 'origin' })
        if (method !== 'OPTIONS') return
        await reply.headers({ 'access-control-allow-methods': 'GET, POST, PUT', 'access-control-allow-headers': 'content-type' }).code(204).send()
      })
      app.options('/*', async () => {})
      app.post('/json', async ({ session }) => ({ user: session.get('user') ?? null }))
      app.post('/set/user/ada', async ({ session }) => { session.set('user', 'ada'); return {} })
    })
    for (const host of ['www.shop.test', 'bank.test'] as const) {
      await browser.clearCookies()
      await page.goto(api.url('/set/user/ada'))
      await page.goto(api.url('/blank', host))
      api.seen.splice(0)
      const ask = async (path: string, options: object): Promise<string> => {
        const answer = await fetched(page, api.url(path), options)
        const sent = api.seen.splice(0).map(({ method, cookie }) => `${method}${cookie === undefined ? '' : ' with the session'}`)
        return `${sent.join(', ')}: ${JSON.stringify(answer.user ?? null)}`
      }
      const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
      table[`${sameSite} from ${host}`] = [
        await ask('/get', {}), await ask('/get', { credentials: 'include' }), await ask('/json', { ...json, credentials: 'include' })
      ]
    }
  }
  const all = ['GET: null', 'GET with the session: "ada"', 'OPTIONS, POST with the session: "ada"']
  const none = ['GET: null', 'GET: null', 'OPTIONS, POST: null']
  t.strictSame(table, {
    'strict from www.shop.test': all,
    'strict from bank.test': none,
    'lax from www.shop.test': all,
    'lax from bank.test': none,
    // Browsers that keep third-party cookies apart send none, see `same-site.browser.ts`.
    'none from www.shop.test': all,
    'none from bank.test': none
  })
})
