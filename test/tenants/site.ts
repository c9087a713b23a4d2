import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type secureSession from '../../index'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'

const TENANTS = new Map([['a.example', 'a'], ['b.example', 'b'], ['c.example', 'c']])

/** The tenant of a host, by a list, as an app does it. */
export function byHost ({ hostname }: { hostname: string }): string | undefined {
  return TENANTS.get(hostname)
}

export const subject = (session: secureSession.Session): string | undefined => session.get('user')

export type Options = secureSession.SessionOptions

/** An app with tenants by host, under one key and one cookie name, and the routes of most tests. */
export async function siteWith (t: Test, options: Options = {}): Promise<TestApp> {
  const keys = options.keyring === undefined ? { key: KEY } : {}
  const app = await appWith(t, { ...keys, tenant: byHost, ...options })
  addRoutes(app)
  return app
}

/** A browser at one host. */
export class HostBrowser extends Browser {
  readonly #host: string

  constructor (app: FastifyInstance, host: string) {
    super(app)
    this.#host = host
  }

  override async get (url: string, options: InjectOptions = {}): Promise<LightMyRequestResponse> {
    return await super.get(url, { ...options, headers: { host: this.#host, ...options.headers } })
  }

  /** What this host makes of the cookies of another browser. */
  with (other: Browser): this {
    this.cookies.clear()
    for (const [name, value] of other.cookies) this.cookies.set(name, value)
    return this
  }
}

/** A browser with a session at each of two tenants. */
export async function loggedIn (app: FastifyInstance): Promise<{ a: HostBrowser, b: HostBrowser }> {
  const [a, b] = [new HostBrowser(app, 'a.example'), new HostBrowser(app, 'b.example')]
  await a.get('/set/user/ada')
  await b.get('/set/user/ada')
  return { a, b }
}

/** The reasons of refusals in the log since the last call. */
export function reasons ({ lines }: TestApp): unknown[] {
  return lines.splice(0).flatMap(({ reason }) => reason ?? [])
}
