import type { FastifyInstance, FastifyRequest } from 'fastify'
import type secureSession from '../../index'
import {
  asked, bindingEvents, bindingShop, boundUser, brief, cookieNames, dropProof, forget, inChromium, REFRESH, until
} from './device-bound'
import { logIn } from './site'

function admin (request: FastifyRequest): secureSession.Session {
  return (request as unknown as { admin: secureSession.Session }).admin
}

function adminRoutes (app: FastifyInstance): void {
  app.get('/both', async request => {
    request.session.set('user', 'ada')
    admin(request).set('user', 'root')
    return {}
  })
  app.get('/users', async request => {
    return [request.session, admin(request)].map(session => [session.get('user') ?? null, session.info.bound])
  })
  app.get('/leave', async request => { admin(request).delete(); return {} })
}

inChromium('two sessions of one reply are bound, each with a key of its own, and end apart', async (t, browser) => {
  const shop = await bindingShop(t, [{}, { sessionName: 'admin', cookieName: '__Host-admin' }], { after: adminRoutes })
  const page = await browser.newPage()
  const events = await bindingEvents(page)
  await page.goto(shop.url())
  await asked(page, '/both')
  await until('two registrations', () => events.filter(event => event === 'created: Success').length === 2)
  await until('the end of both passes', async () => {
    await asked(page, '/blank')
    return !(await cookieNames(browser)).some(name => name.endsWith('.u'))
  })
  t.strictSame(await cookieNames(browser), ['__Host-admin', '__Host-admin.d', 'session', 'session.d'])
  const both = [['ada', true], ['root', true]]
  t.strictSame((await asked(page, '/users')).body, both)
  for (const names of [['session.d'], ['__Host-admin.d'], ['session.d', '__Host-admin.d']]) {
    for (const name of names) await dropProof(browser, name)
    forget(shop.seen)
    t.strictSame((await asked(page, '/users')).body, both, names.join())
    t.strictSame(shop.seen.map(({ url }) => url).sort(), [
      ...(names.includes('__Host-admin.d') ? ['/dbsc/admin/refresh'] : []),
      ...(names.includes('session.d') ? [REFRESH] : []),
      '/users'
    ])
  }
  await asked(page, '/leave')
  await dropProof(browser)
  t.strictSame((await asked(page, '/users')).body, [['ada', true], [null, false]])
  await until('the end of a key', () => events.includes('ended: ServerRequested'))
  t.strictSame(await cookieNames(browser), ['session', 'session.d'])
})

inChromium('a session under a path is bound there, and elsewhere nothing is signed for it', async (t, browser) => {
  const shop = await bindingShop(t, { cookie: { path: '/app' } }, {
    after (app) {
      app.get('/app/enter', async ({ session }) => { session.set('user', 'ada'); return {} })
      app.get('/app/me', async ({ session }) => [session.get('user') ?? null, session.info.bound])
    }
  })
  const page = await browser.newPage()
  const events = await bindingEvents(page)
  await page.goto(shop.url())
  await asked(page, '/app/enter')
  await until('a registration', () => events.includes('created: Success'))
  await until('the end of the pass', async () => {
    await asked(page, '/app/me')
    return !(await cookieNames(browser)).includes('session.u')
  })
  await dropProof(browser)
  forget(shop.seen)
  t.strictSame((await asked(page, '/app/me')).body, ['ada', true])
  t.strictSame(brief(shop.seen), ['POST /app/dbsc/session/refresh session', 'GET /app/me session,session.d'])
  await dropProof(browser)
  t.strictSame((await asked(page, '/me')).body, { user: null, bound: false }, 'no cookie comes there')
})

inChromium('a session in several cookies is bound by one proof', async (t, browser) => {
  const shop = await bindingShop(t, { maxCookies: 3 }, {
    after (app) { app.get('/fill', async ({ session }) => { session.set('text', 'x'.repeat(8000)); return {} }) }
  })
  const { page } = await boundUser(browser, shop)
  await asked(page, '/fill')
  await dropProof(browser)
  t.strictSame((await asked(page, '/me')).body, { user: 'ada', bound: true })
  t.strictSame(await cookieNames(browser), ['session', 'session.1', 'session.2', 'session.d'])
  forget(shop.seen)
  await logIn(page, shop, 'grace')
  t.strictSame((await asked(page, '/get')).body.user, 'grace')
})
