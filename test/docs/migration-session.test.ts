import t, { type Test } from 'tap'
import { WARN } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { Browser } from './migration-browser'
import { ADA, appOf, appWithOld, block, DAY_MS, moves, OLD_SECRET, withCookies } from './migration-page'

/** The page's opener for @fastify/session, for cookies and records that the real library made. */

/** Its declarations say of `request.session` what ours say otherwise, so it comes without. */
const fastifySession: any = require('@fastify/session')

process.env['OLD_SESSION_SECRET'] = OLD_SECRET

const SESSION_CODE = 'const endOld'
async function oldSessions (t: Test, store: object, options: object = {}): Promise<Browser> {
  return await Browser.at(await appWithOld(t, async app => {
    await withCookies(app, fastifySession, { secret: OLD_SECRET, store, cookie: { secure: false }, ...options })
  }))
}

t.test('docs/migration.md: a session is migrated from the store of @fastify/session', async t => {
  const store = new fastifySession.MemoryStore()
  const ada = await oldSessions(t, store)
  await ada.post('/login', ADA)
  const copy = ada.copy()
  await moves(t, ada, await appOf(t, block(t, 'js', SESSION_CODE), { store }))
  await copy.goTo(await appOf(t, block(t, 'js', SESSION_CODE), { store }))
  t.strictSame(await copy.get('/me'), {}, 'the logout ended the record, too')
})

t.test('docs/migration.md: the library\'s own fields of a record are not migrated', async t => {
  const store = new fastifySession.MemoryStore()
  const ada = await oldSessions(t, store)
  await ada.post('/login', ADA)
  await ada.goTo(await appOf(t, block(t, 'js', SESSION_CODE), { store }))
  t.strictSame((await ada.get('/names')).sort(), ['oldId', 'user'])
})

t.test('docs/migration.md: the opener handles JSON stores, expired records, forged ids and an outage', async t => {
  const records = new Map<string, string>()
  let isAway = false
  const store = {
    get: (id: string, done: (error: unknown, found?: unknown) => void) => { done(isAway ? new Error('away') : null, records.has(id) ? JSON.parse(records.get(id) as string) : null) },
    set: (id: string, session: object, done: () => void) => { records.set(id, JSON.stringify(session)); done() },
    destroy: (id: string, done: () => void) => { records.delete(id); done() }
  }
  const clock = fakeClock(t, Date.now())
  const ada = await oldSessions(t, store, { cookie: { secure: false, maxAge: DAY_MS / 4 } })
  await ada.post('/login', ADA)
  const app = await appOf(t, block(t, 'js', SESSION_CODE), { store })
  const late = ada.copy()
  const outage = ada.copy()
  const forger = ada.copy()
  forger.keep(`sessionId=${[...records.keys()][0] as string}.forged; Path=/`)
  t.strictSame(await (await forger.goTo(app)).get('/me'), {})
  isAway = true
  t.match(await (await outage.goTo(app)).get('/me'), { statusCode: 503 })
  t.match(await outage.post('/theme/dark'), { statusCode: 503 }, 'no other session is begun meanwhile')
  isAway = false
  t.strictSame(await outage.get('/me'), ADA)
  await moves(t, ada, await appOf(t, block(t, 'js', SESSION_CODE), { store }))

  const next = await oldSessions(t, store, { cookie: { secure: false, maxAge: DAY_MS / 4 } })
  await next.post('/login', ADA)
  clock.advance(DAY_MS / 4 + 1000)
  t.strictSame(await (await next.goTo(app)).get('/me'), {})
  t.strictSame(await (await late.goTo(app)).get('/me'), {})
})

t.test('docs/migration.md: in a hook before the plugin there is no session, and the log says so', async t => {
  const store = new fastifySession.MemoryStore()
  const ada = await oldSessions(t, store)
  await ada.post('/login', ADA)
  const early = "app.addHook('onRequest', async request => { request.query.early = String(request.session) })\n" +
    "app.get('/early', async ({ query }) => query)\n"
  const app = await appOf(t, early + block(t, 'js', SESSION_CODE), { store })
  await ada.goTo(app)
  t.strictSame(await ada.get('/early'), { early: 'null' })
  t.match(app.lines.filter(({ level }) => level === WARN), [{ code: 'FST_SESSION_NOT_READY' }])
  t.strictSame(await ada.get('/me'), ADA)
})

t.test('docs/migration.md: the prefix of express is removed from the cookie', async t => {
  const store = new fastifySession.MemoryStore()
  const ada = await oldSessions(t, store, { cookiePrefix: 's:' })
  await ada.post('/login', ADA)
  const code = block(t, 'js', SESSION_CODE).replace('decodeURIComponent(value)', 'decodeURIComponent(value).slice(2)')
  await moves(t, ada, await appOf(t, code, { store }))
})
