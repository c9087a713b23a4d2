import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import secureSession from '../../index'
import { bareApp, KEY, OTHER_KEY, type TestApp } from '../helpers/app'
import { runSnippet } from '../helpers/snippet'
import type { Browser } from './migration-browser'
import { pageOf } from './page'

/** What the tests of docs/migration.md have in common: its blocks of code, the libraries that people come from, and a browser. */

export { ROOT } from './page'
export const { PAGE, blocks, block } = pageOf('migration.md')

/** Its declarations say of `request.session` what ours say otherwise, so it comes without. */
export const peer: any = require('@fastify/secure-session')

process.env['SESSION_KEY'] = KEY.toString('base64url')
process.env['OLD_SESSION_KEY'] = OTHER_KEY.toString('base64')

/** The program before a change, or the one after it. */
export function sideOf (diff: string, side: '-' | '+'): string {
  return diff.split('\n').filter(line => line[0] === side || line[0] !== (side === '-' ? '+' : '-')).map(line => line.slice(1)).join('\n')
}

const ownRequire = (name: string): unknown => name === 'fastify-sealed-session' ? secureSession : require(name)

/** An app that runs the page's own code, and then has routes. */
export async function appOf (t: Test, code: string, scope: Record<string, unknown> = {}, routes = addRoutes): Promise<TestApp> {
  const app = bareApp(t)
  await app.register(formbody)
  const known = /const secureSession\b/.test(code) ? {} : { secureSession }
  runSnippet(code, { app, require: ownRequire, ...known, ...scope })
  await app.after()
  routes(app)
  return app
}

/** An app as it was before: with the old library. */
export async function oldAppOf (t: Test, options: object = { key: OTHER_KEY, cookie: { path: '/' } }, routes = addRoutes): Promise<TestApp> {
  return await appWithOld(t, async app => { await app.register(peer, options) }, routes)
}

export async function appWithOld (t: Test, register: (app: FastifyInstance) => Promise<void>, routes = addRoutes): Promise<TestApp> {
  const app = bareApp(t)
  await app.register(formbody)
  await register(app)
  routes(app)
  return app
}

export async function withCookies (app: FastifyInstance, plugin: any, options: object): Promise<void> {
  await app.register(cookie)
  await app.register(plugin, options)
}

/** Routes for either library. Those that the page writes itself are left to it. */
export function addRoutes (app: FastifyInstance): void {
  const logIn = async (request: any): Promise<object> => { request.session.set('user', { name: request.body?.name ?? 'ada' }); return {} }
  for (const url of ['/login', '/auth/login']) if (!app.hasRoute({ method: 'POST', url })) app.post(url, logIn)
  if (!app.hasRoute({ method: 'POST', url: '/logout' })) app.post('/logout', async (request: any) => { request.session.delete(); return {} })
  for (const url of ['/me', '/auth/me']) app.get(url, async (request: any) => request.session.get('user') ?? {})
  app.post('/theme/:theme', async (request: any) => { request.session.set('theme', request.params.theme); return {} })
  app.get('/theme', async (request: any) => ({ theme: request.session.get('theme') ?? null }))
  app.get('/untouched', async () => ({}))
  app.get('/info', async (request: any) => request.session.info ?? {})
  app.get('/names', async (request: any) => Object.keys(request.session.data()))
}

export const ADA = { name: 'ada' }
export const DAY_MS = 86_400_000
/** Of the libraries that have a secret in the place of a key. */
export const OLD_SECRET = 'an old secret of more than thirty-two characters'

/** In the same browser: logged in with the old library, still so with ours, under one cookie alone; and after a logout nothing opens. */
export async function moves (t: Test, ada: Browser, app: TestApp): Promise<void> {
  await ada.goTo(app)
  await ada.get('/untouched')
  t.strictSame(await ada.get('/me'), ADA)
  t.notOk(ada.cookies.includes('session /'), 'a request that only reads migrates nothing')
  await ada.post('/theme/dark')
  t.strictSame(ada.cookies, ['session /'])
  t.strictSame(await ada.get('/me'), ADA)
  t.equal(app.lines.filter(({ msg }) => msg === 'a session migrated from a legacy cookie').length, 1)
  await ada.post('/logout')
  t.strictSame(ada.cookies, [])
  t.strictSame(await ada.get('/me'), {})
}
