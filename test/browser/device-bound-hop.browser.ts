import { asked, bindingShop, boundUser, brief, dropProof, forget, inChromium, REFRESH } from './device-bound'
import { html } from './site'

inChromium('a link from another site keeps its fragment, also where the app forbids scripts', async (t, browser) => {
  const shop = await bindingShop(t, {}, {
    before (app) {
      app.addHook('onRequest', async (_request, reply) => {
        reply.header('content-security-policy', "script-src 'none'")
      })
    }
  })
  const { page } = await boundUser(browser, shop)
  for (const tail of ['#part', '#', '?a=1#/x?y']) {
    await dropProof(browser)
    const to = shop.url(`/private${tail}`)
    await page.goto(shop.url(`/link?to=${encodeURIComponent(to)}`, 'bank.test'))
    const from = page.url()
    forget(shop.seen)
    await page.click('a')
    await page.waitForSelector('text=welcome ada')
    t.equal(page.url(), to)
    const path = tail.replace(/#.*/, '')
    t.strictSame(brief(shop.seen), [
      `GET /private${path} session`, `POST ${REFRESH} session`, `GET /private${path} session,session.d`
    ])
    await page.evaluate(() => { setTimeout(() => { history.back() }) })
    await page.waitForSelector('a')
    t.equal(page.url(), from)
  }
})

inChromium('where nothing lets the hop run its script, it has a link to the page', async (t, browser) => {
  const shop = await bindingShop(t, {}, {
    before (app) {
      // As a proxy does it.
      app.addHook('onSend', async (_request, reply) => { reply.header('content-security-policy', "script-src 'none'") })
    }
  })
  const { page } = await boundUser(browser, shop)
  await dropProof(browser)
  await page.goto(shop.url(`/link?to=${encodeURIComponent(shop.url('/private#part'))}`, 'bank.test'))
  await page.click('a')
  await page.click('text=One moment')
  await page.waitForSelector('text=welcome ada')
  t.equal(page.url(), shop.url('/private'))
})

inChromium('a window that comes back from another site still has its opener', async (t, browser) => {
  const shop = await bindingShop(t, {}, {
    after (app) {
      app.get('/back', async ({ session }, reply) => {
        return html(reply, `<script>opener.postMessage('${session.get('user')}', location.origin)</script>`)
      })
    }
  })
  const { page } = await boundUser(browser, shop)
  await page.goto(shop.url())
  await dropProof(browser)
  const from = shop.url(`/link?to=${encodeURIComponent(shop.url('/back'))}`, 'bank.test')
  const opened = browser.waitForEvent('page')
  const said = page.evaluate(async url => await new Promise(resolve => {
    addEventListener('message', ({ data }) => { resolve(data) })
    open(url)
  }), from)
  const popup = await opened
  await popup.waitForSelector('a')
  forget(shop.seen)
  await popup.click('a')
  t.equal(await said, 'ada')
  t.strictSame(brief(shop.seen), ['GET /back session', `POST ${REFRESH} session`, 'GET /back session,session.d'])
})

const SERVICE_WORKER = `
  addEventListener('install', () => skipWaiting())
  addEventListener('activate', event => event.waitUntil(clients.claim()))
  addEventListener('fetch', event => event.respondWith(fetch(event.request)))`

inChromium('a service worker that passes navigations on does not keep a link from its page', async (t, browser) => {
  const shop = await bindingShop(t, {}, {
    after (app) {
      app.get('/sw.js', async (_request, reply) => { reply.type('text/javascript'); return SERVICE_WORKER })
    }
  })
  const { page } = await boundUser(browser, shop)
  await page.evaluate(async () => {
    const controlled = new Promise(resolve => { navigator.serviceWorker.addEventListener('controllerchange', resolve) })
    await navigator.serviceWorker.register('/sw.js')
    await controlled
  })
  await dropProof(browser)
  await page.goto(shop.url(`/link?to=${shop.url('/private')}`, 'bank.test'))
  forget(shop.seen)
  await page.click('a')
  await page.waitForSelector('text=welcome ada')
  t.strictSame(brief(shop.seen), ['GET /private session', `POST ${REFRESH} session`, 'GET /private session,session.d'])
  t.strictSame((await asked(page, '/me')).body, { user: 'ada', bound: true })
})
