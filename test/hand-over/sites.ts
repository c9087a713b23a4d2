import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type secureSession from '../../index'
import { appWith, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'

export const SENDER = 'https://accounts.example/hand-over'
export const RECEIVER = 'https://shop.example/welcome'

export const subject: NonNullable<secureSession.SessionOptions['subject']> = session => session.get('user')?.id

export type Sender = Partial<secureSession.HandOverSenderOptions>
export type Receiver = Partial<secureSession.HandOverReceiverOptions>
type Options = Partial<secureSession.SessionOptions>

/** The site that users log in at. */
export async function accountsSite (t: Test, send: Sender = {}, options: Options = {}, keep: readonly string[] = ['user']): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, subject, ...options, handOver: { send: { at: SENDER, to: [RECEIVER], ...send }, ...options.handOver } })
  addUserRoutes(app)
  app.get('/hand-over', (_request, reply) => reply.handOver({ keep }))
  return app
}

/** The site that takes their sessions. */
export async function shopSite (t: Test, receive: Receiver = {}, options: Options = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, subject, ...options, handOver: { receive: { at: RECEIVER, from: [SENDER], ...receive }, ...options.handOver } })
  addUserRoutes(app)
  app.get('/login', (request, reply) => reply.beginHandOver({ from: receive.from?.[0], then: (request.query as { then?: unknown }).then }))
  return app
}

export function addUserRoutes (app: FastifyInstance): void {
  app.get('/log-in/:user', async ({ session, params }) => {
    session.regenerate()
    session.set('user', { id: (params as { user: string }).user })
    return session.info
  })
  app.get('/set/:key/:value', async ({ session, params }) => {
    const { key, value } = params as { key: string, value: string }
    session.set(key, value)
    return {}
  })
  app.get('/log-out', async ({ session }) => { session.delete(); return {} })
  app.get('/session', async ({ session }) => ({ data: session.data(), info: session.info }))
}

/** A browser that knows both sites. */
export class User {
  readonly accounts: Browser
  readonly shop: Browser

  constructor (accounts: FastifyInstance, shop: FastifyInstance) {
    this.accounts = new Browser(accounts)
    this.shop = new Browser(shop)
  }

  async logIn (user = 'ada'): Promise<secureSession.SessionInfo> {
    return await this.accounts.json(`/log-in/${user}`)
  }

  /** Begins at the shop, and returns where the shop sends the browser. */
  async begin (url = '/login'): Promise<string> {
    const response = await this.shop.get(url)
    return String(response.headers.location)
  }

  /** The form of the sender. */
  async form (location: string): Promise<Form> {
    const { pathname, search } = new URL(location)
    return formIn(await this.accounts.get(pathname + search))
  }

  /** Posts it, and what the page of the receiver posts again. */
  async post (form: Form): Promise<LightMyRequestResponse> {
    // The first post comes from another site.
    const own = formIn(await inject(this.shop, form))
    return await postForm(this.shop, own)
  }

  async handOver (url?: string): Promise<LightMyRequestResponse> {
    return await this.post(await this.form(await this.begin(url)))
  }
}

export interface Form {
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

export function formIn ({ body }: LightMyRequestResponse): Form {
  const action = /<form method="post" action="([^"]*)">/.exec(body)?.[1] as string
  return { action, fields: Object.fromEntries(Array.from(body.matchAll(/name="(\w+)" value="([^"]*)"/g), ([, name, value]) => [name, value])) }
}

/** Without cookies, as browsers post a form of another site. */
export async function inject (browser: Browser, form: Form): Promise<LightMyRequestResponse> {
  return await postForm(browser, form, { headers: { ...FORM, cookie: '' } })
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

export async function postForm (browser: Browser, { action, fields }: Form, options: InjectOptions = {}): Promise<LightMyRequestResponse> {
  return await browser.get(new URL(action).pathname, { method: 'POST', headers: FORM, body: new URLSearchParams(fields).toString(), ...options })
}

/** The reasons in the log since the last call. */
export function reasons ({ lines }: TestApp): unknown[] {
  return lines.splice(0).flatMap(({ reason }) => reason ?? [])
}
