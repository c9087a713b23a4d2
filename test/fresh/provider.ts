import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { freshTokens, type FreshTokensOptions, type Tokens } from '../../lib/fresh-tokens'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'

export const LIFE_MS = 300_000

/** A provider that gives a new refresh token each time, and ends the grant when an old one comes again. */
export class Provider {
  /** The refresh tokens that it was sent. */
  readonly asked: string[] = []
  /** What it throws, while it is set. */
  failure: unknown = null
  isEnded = false
  lifeMs = LIFE_MS
  #count = 0
  #open: (() => void) | null = null
  #opened: Promise<void> = Promise.resolve()

  /** The first tokens, and each time the next. */
  issue (): Tokens & { user: number } {
    this.#count++
    return { accessToken: `access-${this.#count}`, refreshToken: `refresh-${this.#count}`, expiresAt: Date.now() + this.lifeMs, user: 7 }
  }

  get newest (): string { return `access-${this.#count}` }

  /** The option `refresh`. */
  readonly refresh = async ({ refreshToken }: Tokens): Promise<Tokens> => {
    this.asked.push(String(refreshToken))
    await this.#opened
    if (this.failure !== null) throw this.failure
    if (this.isEnded || refreshToken !== `refresh-${this.#count}`) {
      this.isEnded = true
      throw Object.assign(new Error('refused'), { error: 'invalid_grant' })
    }
    return this.issue()
  }

  /** From now on its answers wait for `release`. */
  hold (): void {
    this.#opened = new Promise(resolve => { this.#open = resolve })
  }

  release (): void {
    this.#open?.()
  }
}

/** A site whose sessions have tokens of a provider. */
export async function siteOf (
  t: Test, provider: Provider, options: Partial<FreshTokensOptions> = {}, sessionOptions: object = {}
): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, ...sessionOptions })
  app.register(freshTokens({ key: 'tokens', refresh: provider.refresh, ...options }))
  addTokenRoutes(app, provider)
  return app
}

export function addTokenRoutes (app: FastifyInstance, provider: Provider): void {
  addRoutes(app)
  app.get('/login', async ({ session }) => { session.regenerate(); session.set('tokens', provider.issue()); return {} })
  app.get('/token', async request => ({ token: await request.freshToken() }))
  app.get('/refused/:token', async request => {
    const { token } = request.params as { token: string }
    return { token: await request.freshToken({ refused: token }) }
  })
  app.get('/newest', async request => ({ tokens: await request.newestTokens() }))
}

/** A browser with tokens. */
export async function loggedIn (app: FastifyInstance): Promise<Browser> {
  const browser = new Browser(app)
  await browser.get('/login')
  return browser
}

/** Copies of a browser, for parallel requests. */
export function tabs (browser: Browser, count: number, app?: FastifyInstance): Browser[] {
  return Array.from({ length: count }, () => browser.copy(app))
}
