import { EventEmitter, once } from 'node:events'
import type { Page } from 'playwright-core'
import { BINDING_CHROMIUM, newProfile } from './browsers'
import {
  asked, bindingShop, boundUser, brief, cookieNames, dropProof, forget, inChromium, REFRESH, until
} from './device-bound'
import { html, logIn, textOf } from './site'

const SIGNED = [`POST ${REFRESH} session`, 'GET /private session,session.d']

async function follow (page: Page): Promise<void> {
  await page.click('a')
  await page.waitForSelector('text=welcome ada')
}

inChromium('a link from another site leads to its page once the browser has signed', async (t, browser) => {
  const shop = await bindingShop(t)
  const { page } = await boundUser(browser, shop)
  await dropProof(browser)
  const from = shop.url(`/link?to=${shop.url('/private')}`, 'bank.test')
  await page.goto(from)
  forget(shop.seen)
  await follow(page)
  t.strictSame(brief(shop.seen), ['GET /private session', ...SIGNED])
  t.equal(page.url(), shop.url('/private'))
  await page.evaluate(() => { setTimeout(() => { history.back() }) })
  await page.waitForSelector('a')
  t.equal(page.url(), from, 'Back leads to where the link was')
  forget(shop.seen)
  await follow(page)
  t.strictSame(brief(shop.seen), ['GET /private session,session.d'], 'with a proof at hand there is no detour')
})

inChromium('a link of a subdomain takes the same way', async (t, browser) => {
  const shop = await bindingShop(t)
  const { page } = await boundUser(browser, shop)
  await dropProof(browser)
  await page.goto(shop.url(`/link?to=${shop.url('/private')}`, 'www.shop.test'))
  forget(shop.seen)
  await follow(page)
  t.strictSame(brief(shop.seen), ['GET /private session', ...SIGNED])
})

inChromium('a URL that is typed, and a link of the site itself, need no detour', async (t, browser) => {
  const shop = await bindingShop(t)
  const { page } = await boundUser(browser, shop)
  for (const go of [
    async () => { await page.goto(shop.url('/private')) },
    async () => { await page.reload() },
    async () => { await page.click('a') }
  ]) {
    await dropProof(browser)
    forget(shop.seen)
    await go()
    await page.waitForSelector('text=welcome ada')
    t.strictSame(brief(shop.seen), SIGNED)
    await page.evaluate(() => { document.body.innerHTML = '<a href=/private>go</a>' })
  }
})

inChromium('with SameSite=Strict a link brings no session, and a refresh brings it', async (t, browser) => {
  const shop = await bindingShop(t, { cookie: { sameSite: 'strict' } })
  const { page } = await boundUser(browser, shop)
  await dropProof(browser)
  await page.goto(shop.url(`/link?to=${shop.url('/private')}`, 'bank.test'))
  forget(shop.seen)
  await page.click('a')
  await page.waitForSelector('text=who are you?')
  t.strictSame(brief(shop.seen), ['GET /private '])
  forget(shop.seen)
  await page.reload()
  await page.goto(shop.url('/private'))
  t.equal(await textOf(page), 'welcome ada')
  t.ok(brief(shop.seen).includes(`POST ${REFRESH} session`), 'a refresh carries Strict cookies')
})

interface State { readonly state: string }

inChromium('a callback of another site, as in OAuth, comes to its handler once, proven', async (t, browser) => {
  const callbacks: unknown[] = []
  const shop = await bindingShop(t, {}, {
    after (app) {
      app.get('/connect', async ({ session, query }, reply) => {
        session.set('state', 'a-state')
        return await reply.redirect(`${(query as { at: string }).at}?state=a-state`)
      })
      // The other site asks the user, or knows already.
      app.get('/consent', { config: { session: false } }, async ({ query }, reply) => {
        const { state } = query as State
        return html(reply, `<form method=post><input name=state value="${state}"><button>allow</button></form>`)
      })
      const back = ({ state }: State): string => `${shop.url('/callback')}?state=${state}&code=a-code`
      app.post('/consent', { config: { session: false } }, async ({ body }, reply) => {
        return await reply.redirect(back(body as State), 303)
      })
      app.get('/known', { config: { session: false } }, async ({ query }, reply) => {
        return await reply.redirect(back(query as State))
      })
      app.get('/callback', async ({ session, query }, reply) => {
        callbacks.push({ query: { ...query as object }, state: session.get('state'), user: session.get('user') })
        session.set('state', null)
        session.set('connected', true)
        return await reply.redirect('/private')
      })
    }
  })
  const { page } = await boundUser(browser, shop)
  const expected = { query: { state: 'a-state', code: 'a-code' }, state: 'a-state', user: 'ada' }

  await page.goto(shop.url(`/connect?at=${shop.url('/consent', 'bank.test')}`))
  await dropProof(browser)
  forget(shop.seen)
  await page.click('button')
  await page.waitForSelector('text=welcome ada')
  t.strictSame(callbacks, [expected])
  t.strictSame(brief(shop.seen).slice(-4).map(line => line.replace(/\?\S*/, '')), [
    'GET /callback session', `POST ${REFRESH} session`, 'GET /callback session,session.d',
    'GET /private session,session.d'
  ])
  t.match((await asked(page, '/get')).body, { user: 'ada', connected: true })

  forget(callbacks)
  await page.goto(shop.url())
  await dropProof(browser)
  await page.goto(shop.url(`/connect?at=${shop.url('/known', 'bank.test')}`))
  t.equal(await textOf(page), 'welcome ada')
  t.strictSame(callbacks, [expected], 'without a page of the other site as well')
})

inChromium('another site can frame a bound page, and its other requests write nothing', async (t, browser) => {
  const arrivals = new EventEmitter()
  const shop = await bindingShop(t, { cookie: { sameSite: 'none' } }, {
    after (app) {
      app.route({
        method: ['GET', 'POST'],
        url: '/visit/:way',
        onSend: async ({ params }, { statusCode }, payload) => {
          arrivals.emit((params as { way: string }).way, statusCode, payload)
        },
        handler: async ({ session }) => { session.set('visited', true); return {} }
      })
    }
  })
  const admitting = await BINDING_CHROMIUM.open(newProfile(t), { admitsThirdParties: true })
  try {
    const { page } = await boundUser(admitting, shop)
    const before = (await admitting.cookies()).find(({ name }) => name === 'session')
    for (const [way, send] of [
      ['fetch', async (url: string) => {
        await page.evaluate(async url => { await fetch(url, { mode: 'no-cors', credentials: 'include' }) }, url)
      }],
      ['image', async (url: string) => { await page.evaluate(url => { new Image().src = url }, url) }],
      ['form', async (url: string) => {
        await page.evaluate(url => {
          document.body.innerHTML = `<form method=post action="${url}"><button>go</button></form>`
        }, url)
        await page.click('button')
      }]
    ] as const) {
      await page.goto(shop.url('/blank', 'bank.test'))
      await dropProof(admitting)
      forget(shop.seen)
      const arrived = once(arrivals, way)
      await send(shop.url(`/visit/${way}`))
      const [status, payload] = await arrived
      t.strictSame([status, JSON.parse(payload).code], [401, 'FST_SESSION_UNPROVEN'], way)
      const visits = brief(shop.seen).filter(line => line.includes('/visit/'))
      t.match(visits, [/ session$/], `${way}: the session came along`)
    }
    t.strictSame((await admitting.cookies()).find(({ name }) => name === 'session'), before, 'nothing was written')

    await page.goto(shop.url('/blank', 'bank.test'))
    await dropProof(admitting)
    await page.evaluate(url => { document.body.innerHTML = `<iframe src="${url}"></iframe>` }, shop.url('/private'))
    await page.frameLocator('iframe').locator('text=welcome ada').waitFor()
    t.same((await cookieNames(admitting)).includes('session.d'), true)
  } finally {
    await admitting.close()
  }
})

inChromium('links of hosts in refreshInitiators need no detour', async (t, browser) => {
  const shop = await bindingShop(t, { deviceBound: { refreshInitiators: ['bank.test'] } })
  const { page } = await boundUser(browser, shop)
  await dropProof(browser)
  await page.goto(shop.url(`/link?to=${shop.url('/private')}`, 'bank.test'))
  forget(shop.seen)
  await follow(page)
  t.strictSame(brief(shop.seen), [`POST ${REFRESH} `, 'GET /private session,session.d'], 'without Lax cookies')
})

inChromium('a link to a page right after the login needs no detour, since the pass is there', async (t, browser) => {
  const shop = await bindingShop(t)
  const page = await browser.newPage()
  await logIn(page, shop)
  await page.goto(shop.url(`/link?to=${shop.url('/private')}`, 'bank.test'))
  forget(shop.seen)
  await follow(page)
  t.equal(brief(shop.seen).filter(line => line.startsWith('GET /private')).length, 1)
  await until('a proof', async () => (await cookieNames(browser)).includes('session.d'))
})
