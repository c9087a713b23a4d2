import { generateKeyPairSync, sign, type KeyPairKeyObjectResult } from 'node:crypto'
import type { FastifyInstance, FastifyServerOptions, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type secureSession from '../../index'
import { appWith, KEY, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'

export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS

/** What browsers send with the requests that they make by themselves. */
export const BY_BROWSER = {
  'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'empty', origin: 'https://localhost'
}
/** A link from another site. */
export const LINK = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

export const OPTIONS = {
  key: KEY, subject: (session: any): string | undefined => session.get('user'), deviceBound: true, persistent: true
}

/** An app behind a proxy that ends TLS, with a login, pages that read and write, and a logout. */
export async function shopOf (t: Test, options: object = {}, server: FastifyServerOptions = {}): Promise<TestApp> {
  const all = Array.isArray(options) ? options : { ...OPTIONS, ...options }
  const app = await appWith(t, all as secureSession.Options, { trustProxy: true, ...server })
  addPages(app)
  return app
}

export function addPages (app: FastifyInstance): void {
  app.get('/login/:user', async ({ session, params }) => {
    session.regenerate()
    session.set('user', (params as { user: string }).user)
    return session.info
  })
  app.get('/me', async ({ session }) => ({ user: session.get('user') ?? null, ...session.info }))
  app.get('/write/:key', async ({ session, params }) => { session.set((params as { key: string }).key, '1'); return session.info })
  app.get('/touch', async ({ session }) => { session.touch(); return session.info })
  app.get('/logout', async ({ session }) => { session.delete(); return {} })
  app.get('/public', async () => ({ ok: true }))
  app.post('/me', async ({ session, body }) => ({ user: session.get('user') ?? null, body }))
}

/** Makes a JWT. Whatever is given of the header and the payload is in it. */
export function jwtOf (privateKey: KeyPairKeyObjectResult['privateKey'], payload: object, header: object = {}): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'ES256', typ: 'dbsc+jwt', ...header })}.${part(payload)}`
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

export interface Jwk {
  readonly kty: string
  readonly crv: string
  readonly x: string
  readonly y: string
}

/** A browser that supports device bound sessions: one key, and what the server said of it. */
export class DeviceBrowser extends Browser {
  readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  readonly #app: FastifyInstance
  readonly session: string
  path: string
  /** The challenge of the registration. */
  offered: string | null = null
  identifier = ''
  challenge = ''

  constructor (app: FastifyInstance, { session = 'session', path = `/dbsc/${session}` }: { session?: string, path?: string } = {}) {
    super(app)
    this.#app = app
    this.session = session
    this.path = path
  }

  get jwk (): Jwk {
    const { kty, crv, x, y } = this.keys.publicKey.export({ format: 'jwk' }) as unknown as Jwk
    return { kty, crv, x, y }
  }

  override async get (url: string, options: InjectOptions = {}): Promise<LightMyRequestResponse> {
    const headers = { 'x-forwarded-proto': 'https', host: 'localhost', ...options.headers }
    const response = await super.get(url, { ...options, headers })
    this.#hear(response)
    return response
  }

  /** A page asks, as a browser lets it. */
  async ask (url: string): Promise<any> {
    return (await this.get(url, { headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' } })).json()
  }

  async register (headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    const response = jwtOf(this.keys.privateKey, { jti: this.offered }, { jwk: this.jwk })
    return await this.post('register', { 'secure-session-response': response, ...headers })
  }

  /** @param challenge default: the one that the server gave last */
  async refresh (headers: Record<string, string> = {}, challenge = this.challenge): Promise<LightMyRequestResponse> {
    const response = jwtOf(this.keys.privateKey, { jti: challenge })
    return await this.post('refresh', {
      'sec-secure-session-id': this.identifier, 'secure-session-response': response, ...headers
    })
  }

  /** As a browser does it: signs again where the server asks for it. */
  async prove (): Promise<LightMyRequestResponse> {
    const response = await this.refresh()
    return response.statusCode === 403 ? await this.refresh() : response
  }

  async post (step: string, headers: Record<string, string | undefined>): Promise<LightMyRequestResponse> {
    const given = Object.fromEntries(Object.entries({ ...BY_BROWSER, ...headers }).filter(([, value]) => value !== undefined))
    return await this.get(`${this.path}/${step}`, { method: 'POST', headers: given as Record<string, string> })
  }

  /** The time of a proof is over: the browser drops its cookie. */
  dropProof (): void {
    this.cookies.delete(`${this.session}.d`)
  }

  override copy (app = this.#app): DeviceBrowser {
    const copy = new DeviceBrowser(app, { session: this.session, path: this.path })
    for (const [name, value] of this.cookies) copy.cookies.set(name, value)
    return Object.assign(copy, {
      keys: this.keys, offered: this.offered, identifier: this.identifier, challenge: this.challenge
    })
  }

  #hear (response: LightMyRequestResponse): void {
    const { 'secure-session-registration': offer, 'secure-session-challenge': challenge } = response.headers
    const offered = String(offer ?? '').split(', ').find(value => value.includes(`path="${this.path}/register"`))
    if (offered !== undefined) this.offered = /challenge="([^"]+)"/.exec(offered)?.[1] ?? null
    if (challenge === undefined) return
    const [, text, id] = /^"([^"]+)";id="([^"]+)"$/.exec(String(challenge)) as unknown as [string, string, string]
    Object.assign(this, { challenge: text, identifier: id })
  }
}

/** A browser that has logged in, and does not support device bound sessions. */
export async function loggedIn (app: FastifyInstance, user = 'ada'): Promise<DeviceBrowser> {
  const browser = new DeviceBrowser(app)
  await browser.get(`/login/${user}`)
  return browser
}

/** A browser that has logged in, registered a key, and refreshed once: its pass is gone. */
export async function boundBrowser (app: FastifyInstance, user = 'ada'): Promise<DeviceBrowser> {
  const browser = await loggedIn(app, user)
  await browser.register()
  await browser.refresh()
  return browser
}

/** The names of the cookies that a reply sets, and those that it clears. */
export function cookieLines (response: LightMyRequestResponse): string[] {
  return setCookies(response).map(line => `${/; Max-Age=0(;|$)/.test(line) ? '-' : '+'}${line.slice(0, line.indexOf('='))}`)
}
