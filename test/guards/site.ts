import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type secureSession from '../../index'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'

/** Who is logged in: most tests say it so. */
export const subject = (session: secureSession.Session): string | undefined => session.get('user')

export const WITH_SUBJECT = { key: KEY, subject }

/** An app whose sessions have subjects, with routes that write, and one that wants somebody. */
export async function guarded (t: Test, options: secureSession.Options = WITH_SUBJECT): Promise<TestApp> {
  const app = await appWith(t, options)
  addRoutes(app)
  app.get('/private', { onRequest: app.requireSession() }, async ({ session }) => ({ user: session.get('user') }))
  return app
}

/** Somebody's browser; logged in, if they have a name. */
export async function visitor (app: FastifyInstance, name?: string): Promise<Browser> {
  const browser = new Browser(app)
  if (name !== undefined) await browser.get(`/set/user/${name}`)
  return browser
}

/** The status and the code of an answer. */
export function outcome (response: LightMyRequestResponse): unknown[] {
  const { code } = response.body === '' ? {} : response.json() as { code?: string }
  return code === undefined ? [response.statusCode] : [response.statusCode, code]
}

export const PASSED = [200]
export const REQUIRED = [401, 'FST_SESSION_REQUIRED']
export const STALE = [401, 'FST_SESSION_STALE']
