import fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import secureSession from '../../index'
import { KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { recordCalls, type Calls } from '../helpers/calls'

export const USER = { id: 7, name: 'Ada', roles: ['customer'] }
/** As it lies in the session. */
export const USER_TEXT = '{"id":7,"name":"Ada","roles":["customer"]}'

type Handle = (session: secureSession.Session<Record<string, any>>) => unknown

/** What the requests do to the session. Fastify itself writes no JSON for them: all reply with text. */
const HANDLERS: Readonly<Record<string, Handle>> = {
  login: session => { session.set('user', USER); session.set('page', '/orders'); session.set('locale', 'en-GB') },
  'fill-2': session => { session.set('page', '/orders'); session.set('text', 'x'.repeat(4000)) },
  'fill-3': session => { session.set('page', '/orders'); session.set('text', 'x'.repeat(7000)) },
  'read-one': session => session.get('page'),
  'read-two': session => [session.get('page'), session.get('locale')],
  'read-object': session => session.get('user'),
  'read-all': session => session.data(),
  'write-one': session => { session.set('page', '/basket') },
  'write-new': session => { session.set('hint', 'seen') },
  'write-object': session => { session.set('cart', { items: [] }) },
  'change-nested': session => { session.get('user').roles.push('editor') },
  unset: session => { session.unset('page') },
  touch: session => { session.touch() },
  regenerate: session => { session.regenerate(['page']) },
  delete: session => { session.delete() }
}

/** An app that logs nothing and replies with text, so that all JSON is the library's. It keeps no opened tokens. */
export async function quietApp (t: Test, options: Partial<secureSession.SessionOptions> = {}): Promise<FastifyInstance> {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(secureSession, { key: KEY, tokenCache: 0, ...options } as secureSession.Options)
  app.get('/untouched', async () => 'text')
  for (const [name, handle] of Object.entries(HANDLERS)) {
    app.get(`/${name}`, async ({ session }) => {
      handle(session as never)
      return 'text'
    })
  }
  await app.ready()
  return app
}

export async function ask (app: FastifyInstance, url: string, cookie?: string): Promise<LightMyRequestResponse> {
  const response = await app.inject({ url, headers: cookie === undefined ? {} : { cookie } })
  if (response.statusCode !== 200 || response.body !== 'text') throw new Error(`${url}: ${response.statusCode} ${response.body}`)
  return response
}

/** The Cookie header of a browser that has been at these pages. */
export async function headerAfter (app: FastifyInstance, ...urls: string[]): Promise<string> {
  const browser = new Browser(app)
  for (const url of urls) await browser.get(url)
  return browser.header
}

/** What one request calls: functions of libsodium by name, and how often JSON is parsed and written. */
export interface Counts {
  readonly sodium: Calls['sodium']
  readonly parsed: number
  readonly written: number
  readonly setCookies: number
}

/** A request that calls nothing and sets no cookie. */
export const NOTHING: Counts = { sodium: [], parsed: 0, written: 0, setCookies: 0 }
/** A cookie that is decrypted and refused. */
export const REFUSED: Counts = { ...NOTHING, sodium: ['decrypt'] }
/** A session that is opened, whatever is read of it. */
export const OPENED: Counts = { ...REFUSED, parsed: 1 }
/** A session that is opened and sealed again. */
export const SEALED: Counts = { ...OPENED, sodium: ['decrypt', 'randombytes_buf', 'encrypt'], written: 1, setCookies: 1 }

/** Counts what one request calls, from its arrival to the end of its reply. */
export function counter (t: Test): (app: FastifyInstance, url: string, cookie?: string) => Promise<Counts> {
  const record = recordCalls(t)
  return async (app, url, cookie) => {
    const { result, sodium, parsed, written } = await record(async () => await ask(app, url, cookie))
    return { sodium, parsed: parsed.length, written: written.length, setCookies: setCookies(result).length }
  }
}
