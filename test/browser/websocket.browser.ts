import type { IncomingMessage } from 'node:http'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import type { Page } from 'playwright-core'
import { KEY } from '../helpers/app'
import { inBrowsers } from './browsers'
import { fetched, logIn, shop, type Site } from './site'

/** A socket says who the session of its upgrade is. The upgrade counts visits. */
async function sockets (app: FastifyInstance): Promise<void> {
  const lines = new WeakMap<IncomingMessage, string[]>()
  await app.register(websocket)
  app.websocketServer.on('headers', (headers: string[], request: IncomingMessage) => {
    for (const line of lines.get(request) ?? []) headers.push(`Set-Cookie: ${line}`)
  })
  app.route({
    method: 'GET',
    url: '/chat',
    preHandler: async ({ session, raw }, reply) => {
      session.set('visits', (session.get('visits') ?? 0) + 1)
      lines.set(raw, reply.commitSession())
    },
    handler: async () => ({}),
    wsHandler: (socket, { session }) => { socket.send(session.get('user') ?? 'nobody') }
  })
}

async function said (page: Page, site: Site): Promise<string> {
  return await page.evaluate(async url => {
    const socket = new WebSocket(url)
    return await new Promise<string>((resolve, reject) => {
      socket.onerror = () => { reject(new Error('no socket')) }
      socket.onmessage = ({ data }) => { socket.close(); resolve(data) }
    })
  }, site.url('/chat').replace('https:', 'wss:'))
}

inBrowsers('the upgrade to a WebSocket has the session, and changes of the upgrade are kept', async (t, browser) => {
  const site = await shop(t, { key: KEY }, sockets)
  const page = await browser.newPage()
  await logIn(page, site)
  t.equal(await said(page, site), 'ada')
  t.equal(await said(page, site), 'ada')
  t.strictSame(await fetched(page, '/get'), { user: 'ada', visits: 2 })
})

inBrowsers('a WebSocket from another site has no session, and one from a subdomain has it', async (t, browser) => {
  const site = await shop(t, { key: KEY, cookieName: '__Host-session', cookie: { sameSite: 'strict' } }, sockets)
  const page = await browser.newPage()
  await logIn(page, site)
  await page.goto(site.url('/blank', 'bank.test'))
  t.equal(await said(page, site), 'nobody')
  await page.goto(site.url('/blank', 'evil.shop.test'))
  t.equal(await said(page, site), 'ada')
})
