import * as diagnostics from 'node:diagnostics_channel'
import Redis from 'ioredis'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import * as contract from '../../lib/revocation-contract'
import { bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { startRedis as startTestRedis, type TestRedis } from '../helpers/redis'
import { runSnippet } from '../helpers/snippet'
import { pageOf } from './page'

/** What the tests of docs/refresh-tokens.md have in common: its blocks of code, a Redis, and a user. */

export { ROOT } from './page'
export const { PAGE, blocks, block } = pageOf('refresh-tokens.md')

process.env['SESSION_KEY'] = KEY.toString('base64url')

export const MINUTE_MS = 60_000
export const DAY_MS = 86_400_000

/** A Redis for all tests of a file, and a client of it. */
export async function startRedis (): Promise<{ server: TestRedis, redis: Redis }> {
  const server = await startTestRedis()
  const redis = new Redis(server.url)
  t.teardown(async () => {
    redis.disconnect()
    await server.remove()
  })
  // A monitor that begins while another client introduces itself takes that for an answer.
  await redis.ping()
  return { server, redis }
}

interface Person {
  readonly id: number
  readonly name: string
  readonly role: string
  password: string
}

/** The user database of the page. */
export class Users {
  readonly #people: Person[] = [
    { id: 17, name: 'ada', role: 'admin', password: 'ada one' },
    { id: 18, name: 'grace', role: 'user', password: 'grace one' }
  ]

  readonly emails = new Map<number, string>()

  async verify (name: string, password: string): Promise<Omit<Person, 'password'> | null> {
    const found = this.#people.find(person => person.name === name && person.password === password)
    return found === undefined ? null : { id: found.id, name, role: found.role }
  }

  async changePassword (id: number, before: string, next: string): Promise<boolean> {
    const found = this.#people.find(person => person.id === id && person.password === before)
    if (found !== undefined) found.password = next
    return found !== undefined
  }

  async changeEmail (id: number, email: string): Promise<void> { this.emails.set(id, email) }
}

/** Runs the page's own code; what it requires of this package is the sources, and what it subscribes to ends with the test. */
export function run (t: Test, code: string, scope: Record<string, unknown>): void {
  const modules: Record<string, unknown> = {
    'fastify-sealed-session': secureSession,
    'fastify-sealed-session/revocation-contract': contract,
    'node:diagnostics_channel': {
      subscribe (name: string, listener: diagnostics.ChannelListener) {
        diagnostics.subscribe(name, listener)
        t.teardown(() => { diagnostics.unsubscribe(name, listener) })
      }
    }
  }
  runSnippet(code, { secureSession, require: (name: string) => scope[name] ?? modules[name], ...Object.fromEntries(Object.entries(scope).filter(([name]) => /^\w+$/.test(name))) })
}

export const SETUP = 'redisRevocation(redis)'
export const LOGIN = "app.post('/login'"

/** An app as the page has it: the registration, the login, and the blocks that hold these texts. */
export async function appOf (t: Test, scope: Record<string, unknown>, ...texts: string[]): Promise<TestApp> {
  const app = bareApp(t)
  for (const text of [SETUP, LOGIN, ...texts]) run(t, block(t, 'js', text), { app, ...scope })
  return await app
}

/** As above, with a registration of its own. */
export async function appRegistered (t: Test, revocation: secureSession.RevocationOptions, scope: Record<string, unknown>): Promise<TestApp> {
  const app = bareApp(t)
  app.register(secureSession, { key: KEY, subject: session => session.get('user')?.id, revocation })
  run(t, block(t, 'js', LOGIN), { app, ...scope })
  return await app
}

/** A browser that says what came back, and nothing else. */
export async function post (browser: Browser, url: string, payload: object = {}): Promise<{ status: number, json: any, headers: Record<string, unknown> }> {
  const response = await browser.get(url, { method: 'POST', payload })
  return { status: response.statusCode, json: response.body === '' ? null : response.json(), headers: response.headers }
}

export async function status (browser: Browser, url: string): Promise<number> {
  return (await browser.get(url)).statusCode
}

export async function loggedIn (app: TestApp, name = 'ada', password = `${name} one`): Promise<Browser> {
  const browser = new Browser(app)
  await post(browser, '/login', { name, password })
  return browser
}
