import { setTimeout } from 'node:timers/promises'
import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import type { BrowserContext, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, KEY } from '../helpers/app'
import { BINDING_CHROMIUM, freshBrowser } from './browsers'
import { addLogin, html, logIn, namesIn, site, type Seen, type Server, type Site } from './site'

/** For what a browser does by itself. Only a test that fails waits for as long. */
const PATIENCE_MS = 60_000
const MS_BETWEEN_LOOKS = 25

export const MINUTE_MS = 60_000

export const REGISTER = '/dbsc/session/register'
export const REFRESH = '/dbsc/session/refresh'

/** One test in a Chromium that knows device bound sessions. The tests of a file share the browser. */
export function inChromium (sentence: string, test: (t: Test, browser: BrowserContext) => Promise<void>): void {
  t.test(`Chromium: ${sentence}`, async t => { await test(t, await freshBrowser(t, BINDING_CHROMIUM)) })
}

type Options = Partial<secureSession.SessionOptions> | readonly Partial<secureSession.SessionOptions>[]

interface Routes {
  /** Added before the plugin. */
  readonly before?: (app: FastifyInstance) => void | Promise<void>
  readonly after?: (app: FastifyInstance) => void | Promise<void>
}

/** A shop whose sessions are bound to the browser that logs in. */
export async function bindingShop (
  t: Test, options: Options = {}, { before, after }: Routes = {}, server: Server = {}
): Promise<Site> {
  const whole = (own: Partial<secureSession.SessionOptions>): secureSession.SessionOptions => {
    return { key: KEY, subject: session => session.get('user'), persistent: true, deviceBound: true, ...own }
  }
  const all = Array.isArray(options) ? options.map(whole) : whole(options as object)
  return await site(t, async app => {
    await app.register(formbody)
    await before?.(app)
    await app.register(secureSession, all as secureSession.Options)
    addRoutes(app)
    addLogin(app)
    const who = (session: secureSession.Session): object => {
      return { user: session.get('user') ?? null, bound: session.info.bound }
    }
    app.get('/me', async ({ session }) => who(session))
    app.post('/me', async ({ session, body }) => ({ ...who(session), body }))
    app.get('/link', { config: { session: false } }, async ({ query }, reply) => {
      return html(reply, `<a href="${(query as { to: string }).to}">go</a>`)
    })
    await after?.(app)
  }, server)
}

type Found<T> = Exclude<T, false | null | undefined>

/** Looks again and again, until there is what it looks for. */
export async function until<T> (what: string, look: () => T | Promise<T>): Promise<Found<T>> {
  const endMs = performance.now() + PATIENCE_MS
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== null && found !== false) return found as Found<T>
    if (performance.now() > endMs) throw new Error(`waited in vain for ${what}`)
    await setTimeout(MS_BETWEEN_LOOKS)
  }
}

/** What Chromium says of device bound sessions from now on, as it happens: `created: Success`, say. */
export async function bindingEvents (page: Page): Promise<string[]> {
  const events: string[] = []
  const cdp = await page.context().newCDPSession(page) as any
  cdp.on('Network.deviceBoundSessionEventOccurred', (event: any) => {
    const { creationEventDetails, refreshEventDetails, challengeEventDetails, terminationEventDetails } = event
    if (creationEventDetails !== undefined) events.push(`created: ${creationEventDetails.fetchResult}`)
    if (refreshEventDetails !== undefined) events.push(`refreshed: ${refreshEventDetails.refreshResult}`)
    if (challengeEventDetails !== undefined) events.push(`challenged: ${challengeEventDetails.challengeResult}`)
    if (terminationEventDetails !== undefined) events.push(`ended: ${terminationEventDetails.deletionReason}`)
  })
  await cdp.send('Network.enable')
  await cdp.send('Network.enableDeviceBoundSessions', { enable: true })
  return events
}

export interface BoundUser {
  readonly page: Page
  readonly events: string[]
}

/** A user who has logged in, whose browser has registered a key and signed once: the pass is gone. */
export async function boundUser (browser: BrowserContext, shop: Site, user = 'ada'): Promise<BoundUser> {
  const page = await browser.newPage()
  const events = await bindingEvents(page)
  await logIn(page, shop, user)
  await committed(page, events)
  return { page, events }
}

/** The browser has registered a key since `events` were emptied, and signs once. */
export async function committed (page: Page, events: string[], passName = 'session.u'): Promise<void> {
  await until('a registration', () => events.includes('created: Success'))
  await until('the end of the pass', async () => {
    await page.evaluate(async () => { await fetch('/blank') })
    return !(await cookieNames(page.context())).includes(passName)
  })
}

/** The browser drops the proof, as if its time were over. */
export async function dropProof (browser: BrowserContext, name = 'session.d'): Promise<void> {
  await browser.clearCookies({ name })
}

export async function cookieNames (browser: BrowserContext): Promise<string[]> {
  return (await browser.cookies()).map(({ name }) => name).sort()
}

/** The Cookie header that all of these cookies make. */
export async function cookieHeader (browser: BrowserContext): Promise<string> {
  return (await browser.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
}

export function forget (list: unknown[]): void {
  list.length = 0
}

/** Requests without those for blank pages: method, path and the names of their cookies. */
export function brief (seen: readonly Seen[]): string[] {
  return seen.filter(({ url }) => url !== '/blank')
    .map(({ method, url, cookie }) => `${method} ${url} ${namesIn(cookie).sort().join()}`)
}

export interface Reply {
  readonly status: number
  readonly body: any
}

/** What a page gets from its own server, with the status. */
export async function asked (page: Page, url: string, options: object = {}): Promise<Reply> {
  return await page.evaluate(async ([url, options]) => {
    const response = await fetch(url as string, options as RequestInit)
    const { status } = response
    const text = await response.text()
    try { return { status, body: JSON.parse(text) } } catch { return { status, body: text } }
  }, [url, options])
}
