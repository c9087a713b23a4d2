import type { IncomingHttpHeaders } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, bareApp, KEY, type TestApp } from '../helpers/app'
import { CERTIFICATE, type Host } from './browsers'

const LOOKS = 100
const MS_BETWEEN_LOOKS = 50

/** What a request looked like when it came to the server. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly host: string
  readonly cookie: string | undefined
  readonly headers: IncomingHttpHeaders
}

export interface Site {
  readonly app: TestApp
  /** All requests so far, without those that a browser makes of its own accord. */
  readonly seen: Seen[]
  url (path?: string, host?: Host): string
}

type Routes = (app: FastifyInstance) => void | Promise<void>

export interface Server {
  readonly http2?: true
  /** No TLS. */
  readonly https?: null
  /** Default: a free one. */
  readonly port?: number
}

/** A shop with sessions and the usual routes, over TLS. */
export async function shop (t: Test, options: secureSession.Options = { key: KEY }, routes: Routes = () => {}, server: Server = {}): Promise<Site> {
  return await site(t, async app => {
    await app.register(formbody)
    await app.register(secureSession, options)
    addRoutes(app)
    addLogin(app)
    await routes(app)
  }, server)
}

/** Any pages over TLS, at all hosts. */
export async function site (t: Test, routes: Routes, { port: wanted = 0, ...server }: Server = {}): Promise<Site> {
  const https = { key: CERTIFICATE.key, cert: CERTIFICATE.cert, allowHTTP1: true }
  const app = bareApp(t, { https, forceCloseConnections: true, ...server } as FastifyServerOptions)
  const seen: Seen[] = []
  app.addHook('onRequest', async ({ method, url, host, headers }) => {
    if (url === '/favicon.ico') return
    seen.push({ method, url, host: host.replace(/:\d+$/, ''), cookie: headers.cookie, headers })
  })
  if (server.http2 === true) endSessionsAtClose(app)
  app.get('/favicon.ico', async (_request, reply) => await reply.code(404).send())
  app.get('/blank', async (_request, reply) => html(reply, ''))
  await routes(app)
  await app.listen({ port: wanted, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const scheme = server.https === null ? 'http' : 'https'
  return { app, seen, url: (path = '/blank', host = 'shop.test') => `${scheme}://${host}:${port}${path}` }
}

/** A browser keeps its connection, and Fastify waits for it to end. */
function endSessionsAtClose (app: FastifyInstance): void {
  const sessions = new Set<ServerHttp2Session>()
  app.server.on('session', (session: ServerHttp2Session) => { sessions.add(session) })
  app.addHook('preClose', async () => { for (const session of sessions) session.destroy() })
}

export function html (reply: { type (type: string): unknown }, body: string): string {
  reply.type('text/html')
  return `<!doctype html><title>a page</title><link rel=icon href=data:,>${body}`
}

/** Forms, and a page for who is logged in. */
export function addLogin (app: FastifyInstance): void {
  app.get('/login', async (_request, reply) => html(reply, '<form method=post><input name=user value=ada><button>log in</button></form>'))
  app.post('/login', async ({ session, body }, reply) => {
    session.regenerate()
    session.set('user', (body as { user: string }).user)
    return await reply.redirect('/private', 303)
  })
  app.get('/private', async ({ session }, reply) => {
    const user = session.get('user')
    if (user === undefined) return html(reply.code(401), '<p>who are you?</p><a href=/login>log in</a>')
    return html(reply, `<p>welcome ${user}</p><form method=post action=/logout><button>log out</button></form>`)
  })
  app.post('/logout', async ({ session }, reply) => {
    session.delete()
    return await reply.redirect('/private', 303)
  })
}

/** Fills in the form, as a user does. */
export async function logIn (page: Page, { url }: Site, user = 'ada', host: Host = 'shop.test'): Promise<void> {
  await page.goto(url('/login', host))
  await page.fill('input', user)
  await page.click('button')
  await page.waitForSelector(`text=welcome ${user}`)
}

export async function textOf (page: Page, selector = 'p'): Promise<string | null> {
  return await page.textContent(selector)
}

/** What a page gets when it asks its own server. */
export async function fetched (page: Page, path: string, options: object = {}): Promise<any> {
  return await page.evaluate(async ([path, options]) => {
    const response = await fetch(path as string, options as RequestInit)
    const text = await response.text()
    try { return JSON.parse(text) } catch { return text }
  }, [path, options])
}

/**
 * What the jar holds, as `name@domain/path` and in order. Of a reply's Set-Cookie lines Firefox tells one after another, so one
 * look may come between two of them: looks until it is what is expected, or until the time is up.
 */
export async function jarHolds (t: Test, browser: BrowserContext, expected: readonly string[], message = 'what the jar holds'): Promise<void> {
  let found = await jar(browser)
  for (let look = 1; look < LOOKS && !isSame(found, expected); look++) {
    await setTimeout(MS_BETWEEN_LOOKS)
    found = await jar(browser)
  }
  t.strictSame(found, expected, message)
}

async function jar (browser: BrowserContext): Promise<string[]> {
  return (await browser.cookies()).map(({ name, domain, path }) => `${name}@${domain}${path}`).sort()
}

function isSame (some: readonly string[], others: readonly string[]): boolean {
  return some.join(' ') === others.join(' ')
}

/** The names of the cookies in a header, in its order. */
export function namesIn (cookie: string | undefined): string[] {
  return (cookie ?? '').split('; ').filter(Boolean).map(pair => pair.slice(0, pair.indexOf('=')))
}
