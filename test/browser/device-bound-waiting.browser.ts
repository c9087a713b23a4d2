import { EventEmitter, once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import type { Page } from 'playwright-core'
import { asked, bindingShop, boundUser, brief, dropProof, forget, inChromium, REFRESH } from './device-bound'
import { html } from './site'

const JSON_BODY = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"amount":5}' }

inChromium('a POST waits until the browser has signed, and arrives with its body', async (t, browser) => {
  const shop = await bindingShop(t, {}, {
    after (app) {
      const form = '<form method=post action=/paid><input name=amount value=7><button>pay</button></form>'
      app.get('/form', async (_request, reply) => html(reply, form))
      app.post('/paid', async ({ session, body }, reply) => {
        return html(reply, `<p>${session.get('user')} paid ${(body as { amount: string }).amount}</p>`)
      })
    }
  })
  const { page } = await boundUser(browser, shop)
  await dropProof(browser)
  forget(shop.seen)
  t.strictSame((await asked(page, '/me', JSON_BODY)).body, { user: 'ada', bound: true, body: { amount: 5 } })
  t.strictSame(brief(shop.seen), [`POST ${REFRESH} session`, 'POST /me session,session.d'], 'once')

  const large = 'x'.repeat(500_000)
  await dropProof(browser)
  t.equal((await asked(page, '/me', { ...JSON_BODY, body: JSON.stringify({ large }) })).body.body.large, large)

  await page.goto(shop.url('/form'))
  await dropProof(browser)
  forget(shop.seen)
  await page.click('button')
  await page.waitForSelector('text=ada paid 7')
  t.strictSame(brief(shop.seen), [`POST ${REFRESH} session`, 'POST /paid session,session.d'])
})

inChromium('requests at the same time wait for one refresh', async (t, browser) => {
  const shop = await bindingShop(t)
  const { page } = await boundUser(browser, shop)
  await dropProof(browser)
  forget(shop.seen)
  const users = await page.evaluate(async () => {
    const turns = Array.from({ length: 12 }, async (_, turn) => await (await fetch(`/me?${turn}`)).json())
    return (await Promise.all(turns)).map(({ user, bound }) => `${user} ${bound}`)
  })
  t.strictSame(users, Array.from({ length: 12 }, () => 'ada true'))
  t.equal(shop.seen.filter(({ url }) => url === REFRESH).length, 1)
})

const SERVICE_WORKER = `
  addEventListener('install', () => skipWaiting())
  addEventListener('activate', event => event.waitUntil(clients.claim()))
  addEventListener('fetch', event => {
    if (event.request.url.includes('passed-on')) event.respondWith(fetch(event.request))
    if (event.request.url.includes('replaced')) event.respondWith(fetch('/visit/by-worker'))
  })`

/** What came to the server, as who. */
function visits (app: FastifyInstance, arrivals: EventEmitter): void {
  app.get('/sw.js', async (_request, reply) => { reply.type('text/javascript'); return SERVICE_WORKER })
  app.route({
    method: ['GET', 'POST'],
    url: '/visit/:way',
    handler: async ({ session, params }, reply) => {
      const { way } = params as { way: string }
      arrivals.emit(way, session.get('user'))
      reply.type(way === 'event-source' ? 'text/event-stream' : 'text/plain')
      return 'data: x\n\n'
    }
  })
}

inChromium('all that a page and its service worker send waits for the refresh', async (t, browser) => {
  const arrivals = new EventEmitter()
  const shop = await bindingShop(t, {}, { after (app) { visits(app, arrivals) } })
  const { page } = await boundUser(browser, shop)
  await page.evaluate(async () => {
    const controlled = new Promise(resolve => { navigator.serviceWorker.addEventListener('controllerchange', resolve) })
    await navigator.serviceWorker.register('/sw.js')
    await controlled
  })
  const ways: Record<string, (page: Page) => Promise<unknown>> = {
    'passed-on': async page => await page.evaluate(async () => { await fetch('/visit/passed-on') }),
    'by-worker': async page => await page.evaluate(async () => { await fetch('/replaced') }),
    'event-source': async page => await page.evaluate(() => {
      const source = new EventSource('/visit/event-source')
      source.onmessage = () => { source.close() }
    }),
    beacon: async page => await page.evaluate(() => navigator.sendBeacon('/visit/beacon', 'x')),
    image: async page => await page.evaluate(() => { new Image().src = '/visit/image' }),
    'keep-alive': async page => {
      await page.evaluate(async () => { await fetch('/visit/keep-alive', { keepalive: true }) })
    }
  }
  for (const [way, send] of Object.entries(ways)) {
    await dropProof(browser)
    forget(shop.seen)
    const arrived = once(arrivals, way)
    await send(page)
    t.strictSame(await arrived, ['ada'], way)
    t.equal(shop.seen[0]?.url, REFRESH, `${way}: first the refresh`)
  }
})

inChromium('the upgrade to a WebSocket has the bound session, and secureSession.open opens it', async (t, browser) => {
  const shop = await bindingShop(t, {}, {
    async after (app) {
      await app.register(websocket)
      app.get('/chat', { websocket: true }, async (socket, request) => {
        const opened = await app.secureSession.open((request.raw as IncomingMessage).headers.cookie)
        socket.send(JSON.stringify([request.session.get('user'), opened?.get('user'), opened?.info.bound]))
      })
    }
  })
  const { page } = await boundUser(browser, shop)
  for (const isDropped of [false, true]) {
    if (isDropped) await dropProof(browser)
    forget(shop.seen)
    const said = await page.evaluate(async url => {
      const socket = new WebSocket(url)
      return await new Promise<string>((resolve, reject) => {
        socket.onerror = () => { reject(new Error('no socket')) }
        socket.onmessage = ({ data }) => { socket.close(); resolve(data) }
      })
    }, shop.url('/chat').replace('https:', 'wss:'))
    t.strictSame(JSON.parse(said), ['ada', 'ada', true], isDropped ? 'after a refresh' : 'with a proof at hand')
    t.strictSame(brief(shop.seen), [...(isDropped ? [`POST ${REFRESH} session`] : []), 'GET /chat session,session.d'])
  }
})
