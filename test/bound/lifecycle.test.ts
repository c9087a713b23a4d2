import t, { type Test } from 'tap'
import secureSession from '../../index'
import { KEY, type TestApp } from '../helpers/app'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { boundBrowser, cookieLines, DeviceBrowser, HOUR_MS, loggedIn, MINUTE_MS, shopOf } from './site'

/** What happens to a binding when a session is written, replaced or ended. */

const OFFER = 'secure-session-registration'

async function officeOf (t: Test, options: object = {}): Promise<TestApp> {
  const app = await shopOf(t, { revocation: { store: secureSession.memoryRevocation() }, ...options })
  app.get('/impersonate/:user', async ({ session, params }) => { session.set('user', (params as { user: string }).user); return session.info })
  app.get('/others', async ({ session }) => { await session.revokeOthers(); return session.info })
  app.get('/revoke', async ({ session }) => { await session.revoke(); return {} })
  app.get('/leave', async ({ session }) => { session.unset('user'); return session.info })
  app.get('/again', async ({ session }) => { session.regenerate(['user']); return session.info })
  return app
}

t.test('a write of a bound session leaves its mark, and sends neither a pass nor an offer', async t => {
  const app = await officeOf(t)
  const browser = await boundBrowser(app)
  for (const url of ['/write/page', '/touch']) {
    const reply = await browser.get(url)
    t.strictSame([cookieLines(reply), reply.headers[OFFER]], [['+session'], undefined])
    t.match(reply.json(), { bound: true })
  }
  t.match(await browser.ask('/me'), { bound: true })
})

t.test('a write of a session with its pass sends no other pass', async t => {
  const app = await officeOf(t)
  const browser = await loggedIn(app)
  const pass = browser.cookies.get('session.u')
  t.strictSame(cookieLines(await browser.get('/write/page')), ['+session'])
  t.equal(browser.cookies.get('session.u'), pass)
  t.match(await browser.ask('/me'), { user: 'ada', bound: false })
})

for (const [what, url] of [['the end of all other sessions', '/others'], ['a change from one user to another', '/impersonate/eve']] as const) {
  t.test(`${what} gives a bound session another id and the same mark, and no pass`, async t => {
    const clock = fakeClock(t)
    const app = await officeOf(t)
    const user = await boundBrowser(app)
    const thief = user.copy()
    const { id } = await user.ask('/me')
    const reply = await thief.get(url)
    t.strictSame([cookieLines(reply).filter(line => !line.endsWith('.t')), reply.headers[OFFER]], [['+session'], undefined])
    t.match(reply.json(), { bound: true, isNew: true })
    t.not(reply.json().id, id)
    clock.advance(12 * MINUTE_MS)
    t.match(await thief.copy().ask('/me'), { user: null, isNew: true }, 'a thief has nothing of it when the proof is over')
  })
}

t.test('the user of a session who leaves it keeps its mark, and the next login has another one', async t => {
  const app = await officeOf(t)
  const browser = await boundBrowser(app)
  const left = await browser.get('/leave')
  t.strictSame([cookieLines(left), left.json().bound], [['+session'], true])
  t.match(await browser.ask('/me'), { user: null, bound: true })
  const login = await browser.get('/impersonate/eve')
  t.strictSame(cookieLines(login), ['-session.d', '+session', '+session.u'])
  t.match(login.headers[OFFER], /ES256/)
  t.match(await browser.ask('/me'), { user: 'eve', bound: false })
})

for (const [what, url] of [['a login', '/login/ada'], ['regenerate()', '/again']] as const) {
  t.test(`${what} begins another binding: another mark and pass, an offer, and the proof is cleared`, async t => {
    const app = await officeOf(t)
    const browser = await boundBrowser(app)
    const [identifier, proof] = [browser.identifier, browser.cookies.get('session.d')]
    const reply = await browser.get(url)
    t.strictSame(cookieLines(reply), ['-session.d', '+session', '+session.u'])
    t.match(reply.headers[OFFER], /ES256/)
    t.match(reply.json(), { bound: false, provenAt: null })
    t.match(await browser.ask('/me'), { user: 'ada', bound: false })
    const late = browser.copy()
    late.cookies.set('session.d', proof as string)
    late.cookies.delete('session.u')
    t.match(await late.ask('/me'), { user: null }, 'the earlier proof is of no use')
    const ended = await browser.refresh()
    t.match([ended.statusCode, ended.json(), cookieLines(ended)], [200, { session_identifier: identifier, continue: false }, []])
    await browser.register()
    await browser.refresh()
    t.match(await browser.ask('/me'), { user: 'ada', bound: true })
  })
}

for (const url of ['/logout', '/revoke']) {
  t.test(`${url} clears the pass and the proof as well, and the next refresh ends the key`, async t => {
    const app = await officeOf(t)
    for (const browser of [await loggedIn(app), await boundBrowser(app)]) {
      const reply = await browser.get(url)
      t.strictSame(cookieLines(reply), ['-session', '-session.u', '-session.d'])
      t.match(setCookies(reply).slice(1), [/^session\.u=; Max-Age=0; .*; Path=\/; HttpOnly; Secure; SameSite=Lax$/, /^session\.d=; Max-Age=0; .*; Secure; /])
      t.strictSame([...browser.cookies.keys()], [])
      if (browser.identifier === '') continue
      t.match((await browser.refresh()).json(), { continue: false })
    }
  })
}

t.test('a refresh that overtakes the logout sets a proof that no session has', async t => {
  const app = await officeOf(t)
  const browser = await boundBrowser(app)
  const late = browser.copy()
  await browser.get('/logout')
  browser.cookies.set('session.d', late.cookies.get('session.d') as string)
  t.match(await browser.ask('/me'), { user: null, isNew: true })
})

t.test('the end of a session without a mark touches a pass or a proof only where the browser sent one', async t => {
  const plain = await officeOf(t, { deviceBound: undefined })
  const browser = await loggedIn(plain)
  t.strictSame(cookieLines(await browser.copy().get('/logout')), ['-session'])
  browser.cookies.set('session.u', 'x')
  t.strictSame(cookieLines(await browser.get('/logout')), ['-session', '-session.u'])
})

t.test('a session that began before the option stays as it is, until the next login', async t => {
  const before = await officeOf(t, { deviceBound: undefined })
  const browser = await loggedIn(before)
  const app = await officeOf(t)
  const later = browser.copy(app)
  for (const url of ['/write/page', '/touch', '/impersonate/eve', '/others']) {
    const reply = await later.get(url)
    t.strictSame([cookieLines(reply).filter(line => line !== '+session.t'), reply.headers[OFFER]], [['+session'], undefined], url)
  }
  t.match((await later.get('/login/ada')).headers[OFFER], /ES256/)
})

t.test('a session that was marked on a server without the option is used and written there as elsewhere', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  const app = await officeOf(t, { revocation: { store } })
  const without = await officeOf(t, { deviceBound: undefined, revocation: { store } })
  const browser = (await boundBrowser(app)).copy(without)
  t.match((await browser.get('/write/page')).json(), { bound: true })
  clock.advance(12 * MINUTE_MS)
  t.match(await browser.copy().ask('/me'), { user: null })
  await browser.copy(app).prove()
  const login = await browser.get('/login/ada')
  t.strictSame(cookieLines(login), ['-session.u', '-session.d', '+session'], 'a login there has no mark')
  t.match(await browser.ask('/me'), { user: 'ada', bound: false })
})

t.test('with offer false logins have no mark, and what is bound goes on', async t => {
  const clock = fakeClock(t)
  const app = await officeOf(t)
  const bound = await boundBrowser(app)
  const off = await officeOf(t, { deviceBound: { offer: false } })
  t.strictSame(cookieLines(await new DeviceBrowser(off).get('/login/eve')), ['+session'])
  const browser = bound.copy(off)
  clock.advance(10 * MINUTE_MS)
  t.equal((await browser.prove()).statusCode, 204)
  t.match(await browser.ask('/me'), { user: 'ada', bound: true })
})

t.test('who is logged in may be said by when, and a login then needs neither subject nor regenerate()', async t => {
  const seen: unknown[] = []
  const when = (session: any): boolean => { seen.push(session.get('user')); return session.get('cart') === undefined && session.get('user') !== undefined }
  const app = await shopOf(t, { subject: undefined, deviceBound: { when } })
  app.get('/set/:key', async ({ session, params }) => { session.set((params as { key: string }).key, { a: 1 }); return {} })
  const browser = new DeviceBrowser(app)
  t.strictSame(cookieLines(await browser.get('/write/page')), ['+session'], 'nobody is logged in')
  t.strictSame(cookieLines(await browser.get('/set/user')), ['-session.d', '+session', '+session.u'])
  t.strictSame(cookieLines(await browser.get('/write/other')), ['+session'], 'a later write is no login')
  const shopper = new DeviceBrowser(app)
  await shopper.get('/set/cart')
  t.strictSame(cookieLines(await shopper.get('/set/user')), ['+session'])
})

t.test('a session that was logged in before the option, by when, gets no mark with a write', async t => {
  const before = await shopOf(t, { subject: undefined, deviceBound: undefined })
  const browser = await loggedIn(before)
  const app = await shopOf(t, { subject: undefined, deviceBound: { when: (session: any) => session.has('user') } })
  t.strictSame(cookieLines(await browser.copy(app).get('/write/page')), ['+session'])
})

t.test('what when returns must not be a promise', async t => {
  const app = await shopOf(t, { deviceBound: { when: async () => true } })
  t.match((await new DeviceBrowser(app).get('/login/ada')).json(), { code: 'FST_SESSION_INVALID_OPTION', message: /deviceBound\.when.*found a promise/ })
})

t.test('a session with a path or domain of its own is not bound: the browser would send it where it sends no pass', async t => {
  const app = await shopOf(t)
  for (const options of [{ path: '/app' }, { domain: 'example.org' }]) {
    const url = `/own/${Object.keys(options)[0]}`
    app.get(url, async ({ session }) => { session.regenerate(); session.options(options); session.set('user', 'ada'); return {} })
  }
  for (const url of ['/own/path', '/own/domain']) {
    const reply = await new DeviceBrowser(app).get(url)
    t.strictSame([cookieLines(reply), reply.headers[OFFER]], [['+session'], undefined])
  }
})

t.test('the pass lives as long as the session\'s cookie: until the browser closes, or for as long as it can', async t => {
  const app = await shopOf(t, { persistent: false, cookie: { priority: 'high', httpOnly: false, sameSite: 'strict' } })
  app.get('/remember', async ({ session }) => { session.regenerate(); session.options({ persistent: true, sameSite: 'lax' }); session.set('user', 'ada'); return {} })
  const [, session, pass] = setCookies(await new DeviceBrowser(app).get('/login/ada'))
  t.match(session, /; Path=\/; Secure; SameSite=Strict; Priority=High$/)
  t.match(pass, /^session\.u=[\w-]{22}; Path=\/; Secure; SameSite=Strict$/, 'with the configured attributes, and no priority')
  const [, , persistent] = setCookies(await new DeviceBrowser(app).get('/remember'))
  t.match(persistent, /^session\.u=[\w-]{22}; Max-Age=34560000; Path=\/; Secure; SameSite=Strict$/)
})

t.test('a browser that has not registered is offered it again with each stamp, where its pass came along', async t => {
  const clock = fakeClock(t)
  const app = await officeOf(t, { revocation: undefined })
  const browser = await loggedIn(app)
  const bound = await boundBrowser(app)
  const first = browser.offered
  t.equal((await browser.get('/me')).headers[OFFER], undefined)
  clock.advance(7 * HOUR_MS)
  const reply = await browser.get('/me')
  t.strictSame(cookieLines(reply), ['+session.t'])
  t.match(reply.headers[OFFER], /^\(ES256\)/)
  t.not(browser.offered, first)
  await bound.prove()
  const other = await bound.get('/me')
  t.strictSame([cookieLines(other), other.headers[OFFER]], [['+session.t'], undefined], 'one that has is not')
  t.equal((await browser.register()).statusCode, 200)
  await browser.prove()
  t.match(await browser.ask('/me'), { bound: true })
})

t.test('a write that is stamped because the store was asked offers it again, too', async t => {
  const clock = fakeClock(t)
  const app = await officeOf(t)
  const browser = await loggedIn(app)
  clock.advance(HOUR_MS)
  const reply = await browser.get('/write/page')
  t.strictSame(cookieLines(reply), ['+session', '+session.t'])
  t.match(reply.headers[OFFER], /^\(ES256\)/)
})

t.test('over plain http, and with offer false, nothing is offered again', async t => {
  const clock = fakeClock(t)
  const app = await officeOf(t, { revocation: undefined })
  const off = await officeOf(t, { revocation: undefined, deviceBound: { offer: false } })
  const browser = await loggedIn(app)
  clock.advance(7 * HOUR_MS)
  t.equal((await app.inject({ url: '/me', headers: { cookie: browser.header } })).headers[OFFER], undefined)
  t.equal((await browser.copy(off).get('/me')).headers[OFFER], undefined)
})

t.test('the offer of the app itself, and those of other sessions, stay: the header is a list', async t => {
  const sessions = ['session', 'staff'].map(sessionName => ({ key: KEY, sessionName, deviceBound: { when: (session: any) => session.has('user') } }))
  const app = await shopOf(t, sessions)
  app.get('/both', async (request, reply) => {
    reply.header(OFFER, '(ES256);path="/own"')
    for (const name of ['session', 'staff']) (request as any)[name].set('user', 'ada')
    return {}
  })
  const reply = await new DeviceBrowser(app).get('/both')
  t.match(reply.headers[OFFER], /^\(ES256\);path="\/own", \(ES256\);path="\/dbsc\/session\/register";challenge="[\w-]+", \(ES256\);path="\/dbsc\/staff\/register";challenge="[\w-]+"$/)
  t.strictSame(cookieLines(reply), ['-session.d', '+session', '+session.u', '-staff.d', '+staff', '+staff.u'])
})

t.test('redirects and replies that the app writes itself offer it as well, and an error reply offers it once', async t => {
  const app = await shopOf(t)
  app.get('/redirect', async ({ session }, reply) => { session.set('user', 'ada'); return await reply.redirect('/me', 303) })
  app.get('/hijack', (request, reply) => { request.session.set('user', 'ada'); reply.hijack(); reply.raw.end('x') })
  app.get('/fail', { onSend: async (_request, _reply, payload) => { if (String(payload).includes('first')) throw new Error('late'); return payload } }, async ({ session }) => {
    session.set('user', 'ada')
    return 'first'
  })
  for (const [url, status] of [['/redirect', 303], ['/hijack', 200], ['/fail', 500]] as const) {
    const reply = await new DeviceBrowser(app).get(url)
    t.equal(reply.statusCode, status, url)
    t.strictSame(cookieLines(reply), ['-session.d', '+session', '+session.u'])
    t.match(reply.headers[OFFER], /^\(ES256\);path="\/dbsc\/session\/register";challenge="[\w-]{92}"$/)
  }
})

t.test('a session that is made persistent after the login has a pass that outlives the browser, too', async t => {
  const app = await shopOf(t, { persistent: false })
  app.get('/remember', async ({ session }) => { session.options({ persistent: true }); return {} })
  const browser = await loggedIn(app)
  const reply = await browser.get('/remember')
  t.strictSame(cookieLines(reply), ['+session', '+session.u'])
  t.match(setCookies(reply).at(-1), /^session\.u=[\w-]{22}; Max-Age=34560000; /)
  const bound = await boundBrowser(app)
  t.strictSame(cookieLines(await bound.get('/remember')), ['+session'], 'a bound session gets no pass')
})

t.test('after the login, a session with a mark cannot be sent where its pass is not', async t => {
  const app = await shopOf(t)
  app.get('/own', async ({ session, query }) => {
    session.options(query as secureSession.SessionSettings)
    return {}
  })
  const browser = await boundBrowser(app)
  for (const query of ['path=/own', 'sameSite=none']) {
    const reply = await browser.get(`/own?${query}`)
    t.match([reply.statusCode, reply.json(), cookieLines(reply)], [500, { code: 'FST_SESSION_INVALID_OPTION' }, []])
  }
  t.strictSame(cookieLines(await browser.get('/own?sameSite=strict')), ['+session'])
  t.match(await browser.ask('/me'), { user: 'ada', bound: true })
})

t.test('a login whose cookie is sent where its pass is not has no mark', async t => {
  const app = await shopOf(t)
  app.get('/own', async ({ session, query }) => {
    session.regenerate()
    session.set('user', 'ada')
    session.options(query as secureSession.SessionSettings)
    return {}
  })
  for (const query of ['sameSite=none', 'path=/own', 'domain=example.com']) {
    const reply = await new DeviceBrowser(app).get(`/own?${query}`)
    t.strictSame([cookieLines(reply), reply.headers[OFFER]], [['+session'], undefined], query)
  }
  t.strictSame(cookieLines(await new DeviceBrowser(app).get('/own?sameSite=strict')), ['-session.d', '+session', '+session.u'])
})

t.test('a login that is not secure has no mark', async t => {
  const app = await shopOf(t)
  app.get('/plain', async ({ session }) => {
    session.set('user', 'ada')
    session.options({ secure: false })
    return {}
  })
  t.strictSame(cookieLines(await new DeviceBrowser(app).get('/plain')), ['+session'])
})

t.test('a write beside a proof of another session clears that proof, also where it clears more', async t => {
  const app = await shopOf(t, { maxCookies: 2, deviceBound: { enforce: false } })
  const browser = await boundBrowser(app)
  const foreign = (await boundBrowser(app, 'eve')).cookies.get('session.d') as string
  browser.cookies.set('session.d', foreign)
  t.strictSame(cookieLines(await browser.get('/write/page')), ['-session.d', '+session'])
  browser.cookies.set('session.d', foreign)
  browser.cookies.set('session.1', 'left over')
  t.strictSame(cookieLines(await browser.get('/write/list')), ['-session.1', '-session.d', '+session'])
})

t.test('a second factor that also revokes the other sessions is a login, by the option when', async t => {
  const app = await officeOf(t, { deviceBound: { when: (session: any) => session.has('factor') } })
  app.get('/factor', async ({ session }) => {
    session.set('factor', true)
    await session.revokeOthers()
    return {}
  })
  const browser = await loggedIn(app)
  t.equal(browser.cookies.has('session.u'), false)
  t.strictSame(cookieLines(await browser.get('/factor')), ['-session.d', '+session', '+session.u'])
  t.match(await browser.ask('/me'), { user: 'ada', bound: false })
})
