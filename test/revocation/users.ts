import type { FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import secureSession from '../../index'
import { appWith, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'

/** Who is logged in by a session, in these tests. */
export const subject = (session: secureSession.Session): string | undefined => session.get('user') as string | undefined

export type Revocation = Partial<secureSession.RevocationOptions>

/** An app whose sessions can be ended, with the routes that people build for it. */
export async function appOfUsers (t: Test, revocation: Revocation = {}, options: Partial<secureSession.SessionOptions> = {}, serverOptions: FastifyServerOptions = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, subject, revocation: { store: secureSession.memoryRevocation(), ...revocation }, ...options }, serverOptions)
  app.get('/login/:user', async ({ session, params }) => {
    session.regenerate()
    session.set('user', (params as { user: string }).user)
    session.set('secret', 'of the session')
    return session.info
  })
  app.get('/user', async ({ session }) => ({ user: session.get('user') ?? null }))
  app.get('/info', async ({ session }) => session.info)
  app.get('/set/:value', async ({ session, params }) => { session.set('value', (params as { value: string }).value); return {} })
  app.get('/logout', async ({ session }) => { session.delete(); return {} })
  app.get('/revoke', async ({ session }) => { await session.revoke(); return { deleted: session.deleted } })
  app.get('/revoke-others', async ({ session }) => { await session.revokeOthers(); return session.info })
  app.get('/regenerate', async ({ session }) => { session.regenerate(['user']); return session.info })
  app.get('/untouched', async () => ({}))
  app.get('/health', { config: { session: false } }, async () => ({}))
  return app
}

/** A browser in which somebody has logged in. */
export async function loggedIn (app: TestApp, user = 'ada'): Promise<Browser> {
  const browser = new Browser(app)
  await browser.get(`/login/${user}`)
  return browser
}

/** Who is logged in, as a handler sees it; null for nobody. */
export async function userIn (browser: Browser): Promise<string | null> {
  return (await browser.json('/user')).user
}
