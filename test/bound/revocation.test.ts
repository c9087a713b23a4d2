import type { FastifyReply } from 'fastify'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { bareApp, WARN, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock, turns } from '../helpers/clock'
import { hasHeard, hearAll } from '../events/subscribed'
import { addPages, boundBrowser, cookieLines, HOUR_MS, LINK, loggedIn, MINUTE_MS, OPTIONS, shopOf } from './site'

interface Store {
  readonly store: object
  asked: number
  fails: boolean
}

function storeOf (): Store {
  const memory = secureSession.memoryRevocation()
  const state: Store = {
    asked: 0,
    fails: false,
    store: {
      cutOffs: async (keys: readonly string[]) => {
        state.asked++
        if (state.fails) throw new Error('down')
        return await memory.cutOffs(keys)
      },
      raise: memory.raise.bind(memory)
    }
  }
  return state
}

async function appOn (t: Test, { store }: Store, more: object = {}): Promise<TestApp> {
  return await shopOf(t, { revocation: { store, recheck: '5m', ...more } })
}

t.test('a refresh of a session that is due to be checked asks the store once, and its stamp goes out', async t => {
  const clock = fakeClock(t)
  const store = storeOf()
  const app = await appOn(t, store)
  const browser = await boundBrowser(app)
  store.asked = 0
  clock.advance(10 * MINUTE_MS)
  browser.dropProof()
  const elsewhere = await appOn(t, store)
  const copy = browser.copy(elsewhere)
  const reply = await copy.prove()
  t.strictSame([reply.statusCode, cookieLines(reply), store.asked], [204, ['+session.d', '+session.t'], 1])
  t.match(await copy.ask('/me'), { user: 'ada', bound: true, renewedAt: clock.nowMs - 10 * MINUTE_MS }, 'it was not renewed')
  t.equal(store.asked, 1)
})

t.test('a session that was revoked is told to end, and its cookies are cleared', async t => {
  const clock = fakeClock(t)
  const store = storeOf()
  const app = await appOn(t, store)
  const browser = await boundBrowser(app)
  const unregistered = await loggedIn(app)
  clock.advance(MINUTE_MS)
  await app.secureSession.revokeSubject('ada')
  clock.advance(9 * MINUTE_MS)
  const heard = hearAll(t)
  const reply = await browser.copy(await appOn(t, store)).refresh()
  t.match([reply.statusCode, reply.json()], [200, { continue: false }])
  t.strictSame(cookieLines(reply).filter(line => line !== '-session.t'), ['-session', '-session.u', '-session.d'])
  hasHeard(t, heard, [{ event: 'refused', reason: 'revoked' }, { event: 'bound', step: 'ended', why: 'revoked', id: /./ }])
  t.equal((await unregistered.register()).statusCode, 400)
})

t.test('while the store is unavailable, both routes answer 503 and nothing is lost', async t => {
  const clock = fakeClock(t)
  const store = storeOf()
  const app = await appOn(t, store)
  const [browser, unregistered] = [await boundBrowser(app), await loggedIn(app)]
  clock.advance(10 * MINUTE_MS)
  store.fails = true
  for (const reply of [await browser.refresh(), await unregistered.copy().post('register', { 'secure-session-response': 'x' })]) {
    t.strictSame([reply.body, setCookies(reply), reply.headers['cache-control']], ['', [], 'no-store'])
  }
  t.equal((await browser.refresh()).statusCode, 503)
  clock.advance(-6 * MINUTE_MS)
  unregistered.cookies.delete('session.t')
  clock.advance(0)
  store.fails = false
  clock.advance(6 * MINUTE_MS + 60_000)
  t.equal((await browser.prove()).statusCode, 204)
})

t.test('a registration waits for the store where that is due, and answers 503 where it is unavailable', async t => {
  const clock = fakeClock(t)
  const store = storeOf()
  const app = await appOn(t, store, { recheck: 0 })
  const browser = await loggedIn(app)
  store.fails = true
  t.equal((await browser.register()).statusCode, 503)
  store.fails = false
  clock.advance(60_000)
  t.equal((await browser.register()).statusCode, 200)
})

t.test('with onError allow, an unavailable store lets a browser refresh', async t => {
  const clock = fakeClock(t)
  const store = storeOf()
  const app = await appOn(t, store, { onError: 'allow' })
  const browser = await boundBrowser(app)
  clock.advance(10 * MINUTE_MS)
  store.fails = true
  t.equal((await browser.refresh()).statusCode, 204)
})

t.test('an unproven session is refused before the store is asked', async t => {
  const clock = fakeClock(t)
  const store = storeOf()
  const app = await appOn(t, store, { recheck: 0 })
  const browser = await boundBrowser(app)
  clock.advance(HOUR_MS)
  store.asked = 0
  for (const [headers, expected] of [
    [{}, { user: null }],
    [{ 'secure-session-skipped': 'x' }, { statusCode: 503, code: 'FST_SESSION_UNPROVEN' }],
    [{ ...LINK, 'sec-fetch-mode': 'cors' }, { statusCode: 401, code: 'FST_SESSION_UNPROVEN' }]
  ] as const) {
    t.match((await browser.copy().get('/me', { headers })).json(), expected)
  }
  t.equal(store.asked, 0)
  await browser.prove()
  t.match(await browser.ask('/me'), { user: 'ada', bound: true })
})

t.test('of two sessions the older is asked about where the newer is unproven', async t => {
  const clock = fakeClock(t)
  const store = storeOf()
  const app = await appOn(t, store, { recheck: 0 })
  const eve = await loggedIn(app, 'eve')
  clock.advance(1000)
  const ada = await boundBrowser(app)
  const cookie = `session=${ada.cookies.get('session')}; session=${eve.cookies.get('session')}; session.u=${eve.cookies.get('session.u')}`
  t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'eve' })
  t.match((await app.inject({ url: '/me', headers: { cookie, 'secure-session-skipped': 'x' } })).json(), { code: 'FST_SESSION_UNPROVEN' })
  t.match(app.lines.filter(({ reason }) => reason === 'unproven'), [{}, {}])
})

t.test('an error that is not the store\'s is the reply of the app, and not an answer to the browser', async t => {
  const clock = fakeClock(t)
  let throws = false
  const subject = (session: any): string | undefined => { if (throws) throw new Error('a bug of the app'); return session.get('user') }
  const app = await shopOf(t, { subject, revocation: { store: storeOf().store, recheck: 0 } })
  const browser = await boundBrowser(app)
  clock.advance(MINUTE_MS)
  throws = true
  t.match([(await browser.refresh()).statusCode, (await browser.post('refresh', { 'sec-secure-session-id': browser.identifier })).json()], [500, { message: 'a bug of the app' }])
})

t.test('early copies, with the pass, end by revocation within recheck', async t => {
  const clock = fakeClock(t)
  const store = storeOf()
  const app = await appOn(t, store)
  const user = await loggedIn(app)
  const thief = user.copy()
  await user.register()
  await user.refresh()
  clock.advance(HOUR_MS)
  t.match(await thief.ask('/me'), { user: 'ada', bound: false }, 'not stopped by the binding')
  await app.secureSession.revokeSubject('ada')
  t.match(await thief.ask('/me'), { user: null })
})

t.test('an answer that comes too late, after the app has replied, is dropped', async t => {
  const clock = fakeClock(t)
  let answer = (): void => {}
  const store = storeOf()
  const memory = store.store as { cutOffs: (keys: readonly string[]) => Promise<unknown>, raise: unknown }
  let isSlow = false
  const slow = {
    raise: memory.raise,
    cutOffs: async (keys: readonly string[]) => {
      if (isSlow) await new Promise<void>(resolve => { answer = resolve })
      return await memory.cutOffs(keys)
    }
  }
  const app = bareApp(t, { trustProxy: true })
  const replies: FastifyReply[] = []
  app.addHook('onRequest', async (_request, reply) => { replies.push(reply) })
  await app.register(secureSession, { ...OPTIONS, revocation: { store: slow as never, recheck: '5m', timeout: '1m' } } as secureSession.Options)
  addPages(app)
  const browser = await boundBrowser(app)
  clock.advance(10 * MINUTE_MS)
  isSlow = true
  const refreshing = browser.refresh()
  await turns()
  replies.at(-1)?.code(504).send({ late: true })
  const reply = await refreshing
  answer()
  await turns()
  t.strictSame([reply.statusCode, reply.json(), setCookies(reply)], [504, { late: true }, []])
  t.notOk(app.lines.some(({ level }) => level >= WARN))
})

t.test('a request that does not use an unproven session leaves the proof of another one, with revocation too', async t => {
  const clock = fakeClock(t)
  for (const revocation of [undefined, { store: storeOf().store, recheck: '5m' }]) {
    const app = await shopOf(t, { revocation })
    const [browser, other] = [await boundBrowser(app), await boundBrowser(app)]
    clock.advance(HOUR_MS)
    await other.prove()
    browser.cookies.set('session.d', other.cookies.get('session.d') as string)
    t.strictSame(cookieLines(await browser.get('/public')), [])
    t.strictSame(cookieLines(await browser.get('/me')), ['-session.d'])
  }
})
