import fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { Browser } from '../helpers/browser'

/** The real library whose cookies are opened. Its declarations claim `request.session` as ours do, so it comes without. */
const peer: any = require('@fastify/secure-session')

/** An app that still runs `@fastify/secure-session`. */
export async function oldApp (t: Test, options: object): Promise<FastifyInstance> {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(peer, options)
  app.get('/set/:key/:value', async ({ session, params }) => {
    const { key, value } = params as { key: string, value: string }
    session.set(key, value)
    return { ok: true }
  })
  app.get('/get', async ({ session }) => session.data())
  app.get('/delete', async ({ session }) => { session.delete(); return { ok: true } })
  return app
}

/** A browser that has logged in there. */
export async function loggedInBefore (t: Test, options: object): Promise<Browser> {
  const browser = new Browser(await oldApp(t, options))
  await browser.get('/set/user/ada')
  return browser
}

/** What the old library would put into a cookie for this data; percent-encoded, as it goes over the wire. */
export async function oldCookie (t: Test, data: unknown, options: object): Promise<string> {
  const app = await oldApp(t, options)
  return encodeURIComponent(app.encodeSecureSession(app.createSecureSession(data as object)))
}
