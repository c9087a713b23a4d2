import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'

export const HEADER = 'session-token'
export const subject = (session: any): string | undefined => session.get('user')

/** A client without cookies: it sends its token, and takes what the header says. */
export class Client {
  token: string
  readonly #app: FastifyInstance

  constructor (app: FastifyInstance, token = '') {
    this.#app = app
    this.token = token
  }

  async get (url: string, options: InjectOptions = {}): Promise<LightMyRequestResponse> {
    const headers = { ...(this.token === '' ? {} : { authorization: `Bearer ${this.token}` }), ...options.headers }
    const response = await this.#app.inject({ url, ...options, headers })
    const token = response.headers[HEADER]
    if (typeof token === 'string') this.token = token
    return response
  }

  async json (url: string, options: InjectOptions = {}): Promise<any> {
    return (await this.get(url, options)).json()
  }

  copy (app = this.#app): Client {
    return new Client(app, this.token)
  }
}

/** What a reply gives the client: the names of cookies, and whether there is a token, an empty one or none. */
export function given (response: LightMyRequestResponse): { cookies: string[], token: 'new' | 'empty' | 'none' } {
  const token = response.headers[HEADER]
  return {
    cookies: setCookies(response).map(line => line.split('=')[0] as string),
    token: token === undefined ? 'none' : token === '' ? 'empty' : 'new'
  }
}

export const NOTHING = { cookies: [], token: 'none' }
export const NEW_TOKEN = { cookies: [], token: 'new' }
export const ENDED_TOKEN = { cookies: [], token: 'empty' }
export const COOKIE_FOR_TOKEN = { cookies: ['session'], token: 'empty' }
export const COOKIE = { cookies: ['session'], token: 'none' }

/** An app with these options beside a key and a subject, and routes that log in, write and log out. */
export async function site (t: Test, options: Partial<secureSession.SessionOptions> = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, subject, transport: 'both', ...options } as secureSession.SessionOptions)
  addRoutes(app)
  addLogins(app)
  return app
}

export function addLogins (app: FastifyInstance): void {
  app.get('/login/:user', async ({ session, params, query }) => {
    const { transport } = query as { transport?: 'cookie' | 'bearer' }
    session.options({ transport })
    session.regenerate()
    session.set('user', (params as { user: string }).user)
    return { ok: true }
  })
  app.get('/again', async ({ session }) => { session.delete(); session.set('page', 'b'); return {} })
  app.get('/change-mind', async ({ session }) => {
    session.options({ transport: 'bearer' })
    session.options({ transport: 'cookie' })
    session.set('user', 'ada')
    return session.info.transport
  })
  app.get('/delete-and-begin', async ({ session }) => {
    session.delete()
    session.options({ transport: 'bearer' })
    session.set('page', 'c')
    return {}
  })
  app.get('/regenerate-and-keep', async ({ session }) => {
    session.regenerate(['user'])
    session.options({ transport: 'bearer' })
    return {}
  })
  app.get('/fill/:length', async ({ session, params }) => { session.set('text', 'x'.repeat(Number((params as any).length))); return {} })
  app.get('/fail', async ({ session }) => {
    session.set('tried', true)
    throw new Error('failed')
  })
}

/** A client that is logged in. */
export async function loggedIn (app: FastifyInstance, user = 'ada'): Promise<Client> {
  const client = new Client(app)
  await client.get(`/login/${user}?transport=bearer`)
  return client
}
