import t from 'tap'
import { type Tokens, freshTokens } from '../../lib/fresh-tokens'
import { GrantMemory, type Grant } from '../../lib/fresh/grant-memory'
import { appWith, bareApp, DEBUG, KEY, WARN } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock, fakeTime, turns } from '../helpers/clock'
import secureSession from '../../index'
import { addTokenRoutes, LIFE_MS, loggedIn, Provider, siteOf, tabs } from './provider'

const MINUTE_MS = 60_000
const KEPT_MS = 5 * MINUTE_MS

t.test('a token that lasts is used, and the session is not written', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const browser = await loggedIn(await siteOf(t, provider))
  clock.advance(LIFE_MS - MINUTE_MS - 1)
  const response = await browser.get('/token')
  t.strictSame([response.json(), setCookies(response), provider.asked], [{ token: 'access-1' }, [], []])
  clock.advance(1)
  t.strictSame(await browser.json('/token'), { token: 'access-2' }, 'and refreshed as long before its end as "before" says')
  t.match(await browser.json('/get'), { tokens: { accessToken: 'access-2', refreshToken: 'refresh-2', user: 7 } })
})

t.test('fifty parallel requests refresh once, and each reply has the new tokens', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const browser = await loggedIn(await siteOf(t, provider))
  clock.advance(LIFE_MS)
  provider.hold()
  const all = tabs(browser, 50)
  const answers = Promise.all(all.map(async tab => await tab.json('/token')))
  await turns()
  provider.release()
  for (const answer of await answers) t.strictSame(answer, { token: 'access-2' })
  t.strictSame(provider.asked, ['refresh-1'])
  for (const tab of all) t.match(await tab.json('/get'), { tokens: { refreshToken: 'refresh-2' } })
  t.strictSame(await browser.json('/token'), { token: 'access-2' }, 'a late request with the old cookie gets them, too')
  t.equal(provider.asked.length, 1)
})

t.test('the parallel calls of one request refresh once', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const app = await siteOf(t, provider)
  app.get('/three', async request => await Promise.all([request.freshToken(), request.freshToken(), request.freshToken()]))
  const browser = await loggedIn(app)
  clock.advance(LIFE_MS)
  t.strictSame(await browser.json('/three'), ['access-2', 'access-2', 'access-2'])
  t.equal(provider.asked.length, 1)
})

t.test('an old cookie leads over several refreshes to the newest tokens, for five minutes', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  provider.lifeMs = 100_000
  const old = await loggedIn(await siteOf(t, provider))
  const browser = old.copy()
  const late = old.copy()
  for (let count = 0; count < 3; count++) {
    clock.advance(100_000)
    await browser.get('/token')
  }
  t.strictSame(await late.json('/token'), { token: 'access-4' })
  t.strictSame(provider.asked, ['refresh-1', 'refresh-2', 'refresh-3'])
  clock.advance(KEPT_MS - 200_000)
  t.match((await old.get('/token')).json(), { code: 'FST_SESSION_GRANT_ENDED' }, 'then they are used up')
  t.equal(provider.asked.at(-1), 'refresh-1')
})

t.test('a token that the API did not take is refreshed, once for parallel requests', async t => {
  fakeClock(t)
  const provider = new Provider()
  const browser = await loggedIn(await siteOf(t, provider))
  const late = browser.copy()
  provider.hold()
  const answers = Promise.all(tabs(browser, 5).map(async tab => await tab.json('/refused/access-1')))
  await turns()
  t.strictSame(await browser.json('/token'), { token: 'access-1' }, 'who has not noticed does not wait')
  provider.release()
  for (const answer of await answers) t.strictSame(answer, { token: 'access-2' })
  t.strictSame(await late.json('/refused/access-1'), { token: 'access-2' }, 'a late request gets the newer one')
  t.equal(provider.asked.length, 1)
})

t.test('a session without tokens is answered 401 with a code of its own', async t => {
  const provider = new Provider()
  const app = await siteOf(t, provider)
  app.get('/null', async ({ session }) => { session.set('tokens', null); return {} })
  const browser = new Browser(app)
  for (const url of ['/get', '/null']) {
    await browser.get(url)
    const response = await browser.get('/token')
    t.match(response.json(), { statusCode: 401, code: 'FST_SESSION_GRANT_ENDED' })
    t.strictSame(setCookies(response), [])
    t.strictSame(await browser.json('/newest'), { tokens: null })
  }
})

t.test('a refused refresh removes the tokens alone, is answered 401, and is not repeated', async t => {
  const clock = fakeClock(t)
  const refusals: unknown[] = [
    null, { error: 'invalid_grant' }, { code: 'invalid_grant' }, { data: { payload: { error: 'invalid_grant' } } }
  ]
  for (const refusal of refusals) {
    const provider = new Provider()
    const refresh = async (): Promise<null> => {
      provider.asked.push('')
      if (refusal === null) return null
      throw Object.assign(new Error('no'), refusal)
    }
    const app = await siteOf(t, provider, { refresh })
    const browser = await loggedIn(app)
    await browser.get('/set/cart/book')
    clock.advance(LIFE_MS)
    const copy = browser.copy()
    t.match((await browser.get('/token')).json(), { statusCode: 401, code: 'FST_SESSION_GRANT_ENDED' }, JSON.stringify(refusal))
    t.strictSame(await browser.json('/get'), { cart: 'book' })
    t.strictSame(await copy.json('/newest'), { tokens: null })
    t.equal((await copy.get('/token')).statusCode, 401)
    t.equal(provider.asked.length, 1)
    t.match(app.lines.find(({ msg }) => msg === 'the provider has ended a grant'), { level: DEBUG, session: 'session', key: 'tokens' })
    t.equal((await (await loggedIn(app)).get('/token')).statusCode, 200, 'and the user can log in again')
  }
})

t.test('an unavailable provider is answered 503, nothing is lost, and the next request tries again', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const app = await siteOf(t, provider)
  const browser = await loggedIn(app)
  clock.advance(LIFE_MS)
  const revoked = { get error () { throw new Error('a getter') } }
  for (const failure of [new TypeError('fetch failed'), { error: 'invalid_client' }, { data: null }, { data: {} }, revoked, undefined, 'text']) {
    provider.failure = failure
    const response = await browser.get('/token')
    t.match(response.json(), { statusCode: 503, code: 'FST_SESSION_PROVIDER_UNAVAILABLE' })
    t.notMatch(response.body, 'fetch failed')
    t.strictSame(setCookies(response), [])
  }
  t.match(app.lines.find(({ level }) => level > WARN), { err: { stack: /caused by: Error: fetch failed/ } })
  provider.failure = null
  t.strictSame(await browser.json('/token'), { token: 'access-2' })
})

t.test('no token gets into the log by an error of the provider\'s client', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const app = await siteOf(t, provider)
  const browser = await loggedIn(app)
  clock.advance(LIFE_MS)
  provider.failure = Object.assign(new Error('POST grant_type=refresh_token&refresh_token=refresh-1 with access-1'), { token: 'refresh-1' })
  t.equal((await browser.get('/token')).statusCode, 503)
  t.match(JSON.stringify(app.lines), 'POST grant_type')
  t.notMatch(JSON.stringify(app.lines), /(?:access|refresh)-1/)
})

t.test('no token gets into the log in the spelling of a form or of JSON, either', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const app = await siteOf(t, provider)
  app.get('/odd', async ({ session }: any) => {
    session.set('tokens', { accessToken: 'a', refreshToken: '1//0g"SECRET', expiresAt: Date.now() })
    return {}
  })
  const browser = await loggedIn(app)
  await browser.get('/odd')
  clock.advance(1)
  provider.failure = new Error(`POST refresh_token=${encodeURIComponent('1//0g"SECRET')} ${JSON.stringify(['1//0g"SECRET'])}`)
  t.equal((await browser.get('/token')).statusCode, 503)
  t.match(JSON.stringify(app.lines), 'POST refresh_token')
  t.notMatch(JSON.stringify(app.lines), 'SECRET')
})

t.test('while the provider is unavailable, a token is used to its end, and the provider is asked every five seconds', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const app = await siteOf(t, provider)
  const browser = await loggedIn(app)
  provider.failure = new Error('no answer')
  clock.advance(LIFE_MS - 30_000)
  for (const asked of [1, 1, 2]) {
    const response = await browser.get('/token')
    t.strictSame([response.json(), setCookies(response)], [{ token: 'access-1' }, []])
    t.equal(provider.asked.length, asked)
    clock.advance(3_000)
  }
  t.match(app.lines.filter(({ level }) => level === WARN), [{ key: 'tokens', err: { code: 'FST_SESSION_PROVIDER_UNAVAILABLE' } }, {}])
  t.match((await browser.get('/refused/access-1')).json(), { code: 'FST_SESSION_PROVIDER_UNAVAILABLE' }, 'but not if the API refused it')
  clock.advance(30_000)
  t.equal((await browser.get('/token')).statusCode, 503)
  provider.failure = null
  t.strictSame(await browser.json('/token'), { token: 'access-2' })
})

t.test('a provider that takes longer than the timeout is unavailable; it is not asked again before its answer, which is kept', async t => {
  const time = fakeTime(t)
  const provider = new Provider()
  const signals: AbortSignal[] = []
  const app = await siteOf(t, provider, {
    timeout: '3s',
    refresh: async (tokens, _request, signal) => {
      signals.push(signal)
      return await provider.refresh(tokens)
    }
  })
  const browser = await loggedIn(app)
  const patient = browser.copy()
  time.advance(LIFE_MS)
  provider.hold()
  const unavailable = { code: 'FST_SESSION_PROVIDER_UNAVAILABLE' }
  for (let count = 0; count < 2; count++) {
    const answer = browser.json('/token')
    await time.pass(2_999)
    t.equal(await Promise.race([answer, 'waits']), 'waits')
    await time.pass(1)
    t.match(await answer, unavailable)
  }
  const third = patient.json('/token')
  await turns()
  t.strictSame([provider.asked, signals.map(({ aborted }) => aborted)], [['refresh-1'], [false]])
  provider.release()
  t.strictSame(await third, { token: 'access-2' })
  t.strictSame(await browser.json('/token'), { token: 'access-2' }, 'also for the requests after it')
  t.equal(provider.isEnded, false)
})

t.test('while the provider is slow, a token that is still good is used without a wait', async t => {
  const time = fakeTime(t)
  const provider = new Provider()
  const app = await siteOf(t, provider, { timeout: '3s' })
  const browser = await loggedIn(app)
  time.advance(LIFE_MS - 30_000)
  provider.hold()
  const first = browser.json('/token')
  await time.pass(3_000)
  t.strictSame(await first, { token: 'access-1' })
  t.strictSame(await browser.json('/token'), { token: 'access-1' })
  const newest = browser.json('/newest')
  await time.pass(3_000)
  t.match(await newest, { tokens: { accessToken: 'access-1' } })
  provider.release()
  await turns()
  t.strictSame(await browser.json('/token'), { token: 'access-2' })
  t.equal(provider.asked.length, 1)
})

t.test('a provider that never answers is given up a minute after the timeout, and asked again', async t => {
  const time = fakeTime(t)
  const provider = new Provider()
  let signal: AbortSignal | undefined
  const answers: Array<Promise<Tokens> | undefined> = [new Promise<never>(() => {})]
  const refresh = async (tokens: Tokens, _: unknown, given: AbortSignal): Promise<Tokens> => {
    signal = given
    return await (answers.shift() ?? provider.refresh(tokens))
  }
  const app = await siteOf(t, provider, { refresh })
  const browser = await loggedIn(app)
  time.advance(LIFE_MS)
  const answer = browser.json('/token')
  await time.pass(10_000)
  t.match(await answer, { code: 'FST_SESSION_PROVIDER_UNAVAILABLE' })
  await time.pass(59_999)
  t.equal(signal?.aborted, false)
  await time.pass(1)
  t.equal(signal?.aborted, true)
  t.match(app.lines.filter(({ msg }) => msg === 'a refresh failed after its timeout'), [
    { level: WARN, err: { code: 'FST_SESSION_PROVIDER_UNAVAILABLE' } }
  ])
  t.strictSame(await browser.json('/token'), { token: 'access-2' })
})

t.test('a late failure or wrong result changes nothing; after a late refusal the grant has ended', async t => {
  const time = fakeTime(t)
  const provider = new Provider()
  const results: unknown[] = [new Error('late'), { accessToken: 5 }, null]
  const app = await siteOf(t, provider, {
    refresh: async tokens => {
      const result = results.shift()
      await provider.refresh({ ...tokens, refreshToken: 'refresh-none' }).catch(() => {})
      if (result instanceof Error) throw result
      return result as never
    }
  })
  const browser = await loggedIn(app)
  time.advance(LIFE_MS)
  for (let count = 0; count < 3; count++) {
    provider.hold()
    const answer = browser.json('/token')
    await time.pass(10_000)
    t.match(await answer, { code: 'FST_SESSION_PROVIDER_UNAVAILABLE' })
    provider.release()
    await turns()
    t.match(await browser.json('/newest'), { tokens: count === 2 ? null : { accessToken: 'access-1' } })
  }
  t.match(app.lines.filter(({ msg }) => msg === 'a refresh failed after its timeout'), [
    { level: WARN, err: { code: 'FST_SESSION_PROVIDER_UNAVAILABLE' } }, { level: WARN, err: { code: 'FST_SESSION_INVALID_OPTION' } }
  ])
  t.match(await browser.json('/token'), { code: 'FST_SESSION_GRANT_ENDED' })
})

t.test('tokens of another grant that a session gets during a refresh are not replaced by what the refresh gives', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const app = await siteOf(t, provider)
  app.get('/connect', async ({ session }: any) => {
    session.set('tokens', { accessToken: 'other', refreshToken: 'other', expiresAt: Date.now() + LIFE_MS })
    return {}
  })
  const browser = await loggedIn(app)
  clock.advance(LIFE_MS)
  provider.hold()
  const before = browser.copy().json('/token')
  await turns()
  await browser.get('/connect')
  t.strictSame(await browser.json('/token'), { token: 'other' })
  provider.release()
  t.strictSame(await before, { token: 'other' })
  t.strictSame(await browser.json('/token'), { token: 'other' })
})

t.test('a wrong result of refresh is an error that says what was found, without a token, and nothing is lost', async t => {
  const clock = fakeClock(t)
  let result: unknown
  const app = await siteOf(t, new Provider(), { refresh: async () => result as never })
  const browser = await loggedIn(app)
  const copy = browser.copy()
  clock.advance(LIFE_MS - 1000)
  const good = { accessToken: 'secret-a', refreshToken: 'secret-r', expiresAt: Date.now() + LIFE_MS }
  const wrong: Array<[unknown, RegExp]> = [
    [undefined, /found undefined/], ['secret-a', /a string of 8 characters/], [[good], /an array/],
    [{ access_token: 'secret-a' }, /accessToken undefined/], [{ ...good, accessToken: '' }, /accessToken a string of 0 characters/],
    [{ ...good, refreshToken: 5 }, /refreshToken 5/], [{ ...good, expiresAt: 3600 }, /expiresAt 3600/],
    [{ ...good, expiresAt: Infinity }, /expiresAt Infinity/], [{ ...good, expiresAt: new Date() }, /expiresAt object/]
  ]
  for (const [value, message] of wrong) {
    result = value
    const response = await browser.get('/token')
    t.match(response.json(), { statusCode: 500, code: 'FST_SESSION_INVALID_OPTION', message })
    t.match(response.json().message, '"refresh" must resolve to null or')
    t.notMatch(response.body, 'secret')
    t.strictSame(setCookies(response), [])
  }
  result = { ...good, extra: { at: new Map() } }
  t.match((await browser.get('/token')).json(), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
  result = good
  t.strictSame(await browser.json('/token'), { token: 'secret-a' })
  t.strictSame(await copy.json('/token'), { token: 'secret-a' })
})

t.test('tokens of another form in the session are an error that says what was found', async t => {
  const app = await siteOf(t, new Provider())
  app.get('/wrong', async ({ session }) => { session.set('tokens', { access: 'secret' }); return {} })
  const browser = new Browser(app)
  await browser.get('/wrong')
  for (const url of ['/token', '/newest']) {
    t.match(await browser.json(url), { code: 'FST_SESSION_INVALID_OPTION', message: /session's value "tokens" must be .*accessToken undefined/ })
  }
})

t.test('a refresh token that the provider does not replace is kept', async t => {
  const clock = fakeClock(t)
  let count = 1
  for (const refreshToken of [undefined, null]) {
    const app = await siteOf(t, new Provider(), {
      refresh: () => ({ accessToken: `again-${++count}`, refreshToken: refreshToken as undefined, expiresAt: Date.now() + LIFE_MS })
    })
    const browser = await loggedIn(app)
    for (let round = 0; round < 2; round++) {
      clock.advance(LIFE_MS)
      t.strictSame(await browser.json('/token'), { token: `again-${count}` })
      t.match(await browser.json('/get'), { tokens: { accessToken: `again-${count}`, refreshToken: 'refresh-1' } })
    }
  }
})

t.test('a provider that gives the same tokens with a later end is asked once for each end', async t => {
  const clock = fakeClock(t)
  let asked = 0
  const app = await siteOf(t, new Provider(), {
    refresh: tokens => { asked++; return Object.assign(tokens, { expiresAt: Date.now() + LIFE_MS }) }
  })
  const browser = await loggedIn(app)
  for (const expected of [1, 2]) {
    clock.advance(LIFE_MS)
    const all = tabs(browser, 3)
    for (const answer of await Promise.all(all.map(async tab => await tab.json('/token')))) t.strictSame(answer, { token: 'access-1' })
    await browser.get('/token')
    t.equal(asked, expected)
  }
})

t.test('without a refresh token, the access token is used to its end, and the provider is not asked', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const app = await siteOf(t, provider)
  app.get('/online', async ({ session }) => { session.set('tokens', { accessToken: 'a', expiresAt: Date.now() + LIFE_MS }); return {} })
  const browser = new Browser(app)
  await browser.get('/online')
  clock.advance(LIFE_MS - 1)
  t.strictSame(await browser.json('/token'), { token: 'a' })
  t.match(await browser.copy().json('/refused/a'), { code: 'FST_SESSION_GRANT_ENDED' })
  clock.advance(1)
  t.match(await browser.json('/token'), { code: 'FST_SESSION_GRANT_ENDED' })
  t.strictSame(await browser.json('/get'), {})
  t.strictSame(provider.asked, [])
})

t.test('new tokens that end within "before" are used, and reported once', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  provider.lifeMs = 30_000
  const app = await siteOf(t, provider)
  const browser = await loggedIn(app)
  for (const token of ['access-2', 'access-3']) {
    clock.advance(1000)
    t.strictSame(await browser.json('/token'), { token })
  }
  t.match(app.lines.filter(({ level }) => level === WARN), [{ msg: /within 60 seconds, the option "before"/ }])
})

t.test('a request that began before a refresh, and writes the session after it, gets the new tokens', async t => {
  const clock = fakeClock(t)
  for (const isPluginFirst of [true, false]) {
    const provider = new Provider()
    const app = bareApp(t)
    const plugin = freshTokens({ key: 'tokens', refresh: provider.refresh })
    if (isPluginFirst) app.register(plugin)
    app.register(secureSession, { key: KEY })
    if (!isPluginFirst) app.register(plugin)
    await app.after()
    addTokenRoutes(app, provider)
    app.get('/slow', async ({ session }) => {
      session.set('cart', 'book')
      await browser.copy().get('/token')
      return {}
    })
    app.get('/slow-read', async ({ session }) => { session.get('cart'); return {} })
    app.get('/slow-logout', async ({ session }) => { session.delete(); return {} })
    app.get('/slow-by-hand', async ({ session }, reply) => {
      session.set('cart', 'pen')
      reply.hijack()
      reply.raw.end('x')
    })
    const browser = await loggedIn(app)
    clock.advance(LIFE_MS)
    const tab = browser.copy()
    await tab.get('/slow')
    t.match(await tab.json('/get'), { cart: 'book', tokens: { refreshToken: 'refresh-2' } }, `plugin first: ${isPluginFirst}`)
    t.equal(provider.asked.length, 1)
    const other = browser.copy()
    await other.get('/slow-by-hand')
    t.match(await other.json('/get'), { cart: 'pen', tokens: { refreshToken: 'refresh-2' } })
    t.strictSame(setCookies(await browser.copy().get('/slow-read')), [], 'and one that only read it writes nothing')
    await browser.get('/slow-logout')
    t.equal(browser.cookies.size, 0, 'and a logout stays one')
  }
})

t.test('a request that writes the session after the grant has ended does not put its tokens back', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const browser = await loggedIn(await siteOf(t, provider))
  provider.isEnded = true
  clock.advance(LIFE_MS)
  t.equal((await browser.copy().get('/token')).statusCode, 401)
  await browser.get('/set/cart/book')
  t.strictSame(await browser.json('/get'), { cart: 'book' })
})

t.test('a session that ends or changes while its request waits is left as it is', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const app = await siteOf(t, provider)
  app.get('/leave', async request => {
    const token = request.freshToken()
    request.session.delete()
    return { token: await token }
  })
  app.get('/again', async request => {
    const token = request.freshToken()
    request.session.set('tokens', { ...provider.issue(), accessToken: 'mine' })
    await token.catch(() => {})
    return {}
  })
  const browser = await loggedIn(app)
  clock.advance(LIFE_MS)
  t.strictSame(await browser.json('/leave'), { token: 'access-2' })
  t.equal(browser.cookies.size, 0)
  await browser.get('/login')
  clock.advance(LIFE_MS)
  await browser.get('/again')
  t.match(await browser.json('/get'), { tokens: { accessToken: 'mine' } })
})

t.test('a call that nobody awaits, and a browser that goes away, end no process and lose no tokens', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const app = await siteOf(t, provider)
  app.get('/forgotten', async request => { request.freshToken(); request.newestTokens({ key: 'none' }); return {} })
  const browser = await loggedIn(app)
  provider.failure = new Error('no answer')
  clock.advance(LIFE_MS)
  t.equal((await browser.get('/forgotten')).statusCode, 200)
  await turns()
  provider.failure = null
  provider.hold()
  t.equal((await browser.copy().get('/forgotten')).statusCode, 200, 'its reply is sent before the new tokens come')
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const abort = new AbortController()
  const gone = fetch(`${address}/token`, { headers: { cookie: browser.header }, signal: abort.signal })
  await turns(50)
  abort.abort()
  await t.rejects(gone)
  await turns()
  provider.release()
  t.strictSame(await browser.json('/token'), { token: 'access-2' })
  t.equal(provider.asked.length, 2)
})

t.test('a session that can no longer be written is not refreshed', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const app = await siteOf(t, provider)
  const results: unknown[] = []
  app.get('/stream', (request, reply) => {
    reply.hijack()
    reply.raw.write('begun')
    request.freshToken().then(token => results.push(token), error => results.push(error.code)).finally(() => reply.raw.end())
  })
  const browser = await loggedIn(app)
  await browser.get('/stream')
  clock.advance(LIFE_MS - 1000)
  await browser.get('/stream')
  clock.advance(1000)
  await browser.get('/stream')
  t.strictSame(results, ['access-1', 'access-1', 'FST_SESSION_COMMITTED'])
  t.strictSame(provider.asked, [])
  await browser.copy().get('/token')
  await browser.get('/stream')
  t.equal(results.at(-1), 'access-2', 'and gets new tokens that others have refreshed')
})

t.test('newest tokens are given without a refresh, and after one that is under way', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const browser = await loggedIn(await siteOf(t, provider))
  clock.advance(LIFE_MS)
  t.match(await browser.json('/newest'), { tokens: { refreshToken: 'refresh-1', user: 7 } })
  t.strictSame(provider.asked, [])
  for (const failure of [new Error('no answer'), null]) {
    provider.failure = failure
    provider.hold()
    const token = browser.copy().get('/token')
    await turns()
    const newest = browser.json('/newest')
    await turns()
    provider.release()
    t.match(await newest, { tokens: { refreshToken: failure === null ? 'refresh-2' : 'refresh-1' } })
    await token
  }
})

t.test('a request with newer tokens helps a refresh of the same session that is refused', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const [here, there] = [await siteOf(t, provider), await siteOf(t, provider)]
  const old = await loggedIn(here)
  clock.advance(LIFE_MS)
  const browser = old.copy(there)
  await browser.get('/token')
  t.equal(provider.asked.length, 1)
  provider.hold()
  const loser = old.json('/token')
  await turns()
  for (const tab of tabs(browser, 2, here)) t.strictSame(await tab.json('/token'), { token: 'access-2' })
  const stranger = await loggedIn(here)
  t.strictSame(await stranger.json('/token'), { token: 'access-3' })
  provider.release()
  t.strictSame(await loser, { token: 'access-2' })
  t.match(await old.json('/get'), { tokens: { refreshToken: 'refresh-2' } })
})

t.test('several kinds of tokens, in several scopes and sessions, each have their own registration', async t => {
  const clock = fakeClock(t)
  const [mail, files] = [new Provider(), new Provider()]
  const app = await appWith(t, [{ key: KEY }, { key: KEY, sessionName: 'admin' }])
  app.register(async inner => {
    inner.register(freshTokens({ key: 'files', refresh: files.refresh, sessionName: 'admin' }))
    inner.get('/both', async request => [await request.freshToken({ key: 'mail' }), await request.freshToken({ key: 'files' })])
    inner.get('/none', async request => await request.freshToken())
  })
  app.register(freshTokens({ key: 'mail', refresh: mail.refresh }))
  app.get('/login', async ({ session, admin }: any) => { session.set('mail', mail.issue()); admin.set('files', files.issue()); return {} })
  app.get('/mail', async request => [await request.freshToken()])
  app.get('/get', async ({ session, admin }: any) => ({ ...session.data(), ...admin.data() }))
  const browser = new Browser(app)
  await browser.get('/login')
  clock.advance(LIFE_MS)
  t.strictSame(await browser.json('/both'), ['access-2', 'access-2'])
  t.strictSame(await browser.json('/mail'), ['access-2'])
  t.match(await browser.json('/get'), { mail: { refreshToken: 'refresh-2' }, files: { refreshToken: 'refresh-2' } })
  t.match(await browser.json('/none'), { code: 'FST_SESSION_INVALID_OPTION', message: /"key" must say which of "files", "mail"/ })
})

t.test('scopes that register the same tokens refresh them together', async t => {
  const clock = fakeClock(t)
  const provider = new Provider()
  const app = await appWith(t)
  for (const prefix of ['/a', '/b']) {
    app.register(async scope => {
      scope.register(freshTokens({ key: 'tokens', refresh: provider.refresh }))
      scope.get('/token', async request => ({ token: await request.freshToken() }))
    }, { prefix })
  }
  app.get('/login', async ({ session }) => { session.set('tokens', provider.issue()); return {} })
  const browser = await loggedIn(app)
  clock.advance(LIFE_MS)
  const answers = await Promise.all(['/a/token', '/b/token'].map(async url => await browser.copy().json(url)))
  t.strictSame(answers, [{ token: 'access-2' }, { token: 'access-2' }])
  t.equal(provider.asked.length, 1)
})

t.test('a legacy session, a split one and one that can be revoked have fresh tokens, too', async t => {
  const clock = fakeClock(t)
  const options = [
    { maxCookies: 2 },
    { legacy: [secureSession.sealedOpener({ cookieName: 'old' })], cookieName: 'new' },
    { subject: () => 'ada', revocation: { store: secureSession.memoryRevocation() } }
  ]
  for (const option of options) {
    const provider = new Provider()
    const app = await siteOf(t, provider, {}, option)
    app.get('/fill', async ({ session }) => { session.set('fill', 'legacy' in option ? '' : 'x'.repeat(2000)); return {} })
    const browser = await loggedIn(app)
    await browser.get('/fill')
    if ('legacy' in option) {
      const outer = await siteOf(t, provider, {}, { cookieName: 'old' })
      browser.cookies.clear()
      for (const [name, value] of (await loggedIn(outer)).cookies) browser.cookies.set(name, value)
    }
    clock.advance(LIFE_MS)
    const token = provider.newest.replace(/\d+$/, number => String(Number(number) + 1))
    const late = browser.copy()
    t.strictSame(await browser.json('/token'), { token })
    t.strictSame(await browser.json('/token'), { token })
    t.strictSame(await late.json('/token'), { token })
    t.equal(provider.asked.length, 1)
  }
})

t.test('what runs before a session is written may fail, and skips a session that could not be written', async t => {
  const app = await appWith(t)
  const BEFORE_WRITE = Symbol.for('fastify-sealed-session.before-write')
  let calls = 0
  app.decorateRequest(BEFORE_WRITE, () => {
    calls++
    throw new Error('a mistake')
  })
  app.get('/set', async ({ session }) => { session.set('user', 'ada'); return {} })
  app.get('/large', async ({ session }) => { session.set('user', 'x'.repeat(5000)); return {} })
  app.get('/untouched', async () => ({}))
  t.equal(setCookies(await app.inject('/set')).length, 1)
  t.match(app.lines.find(({ msg }) => msg === 'a session was not prepared for its reply'), { level: 50 })
  t.equal(calls, 1)
  t.match((await app.inject('/large')).json(), { code: 'FST_SESSION_TOO_LARGE' })
  t.equal(calls, 2, 'not again for the reply to the error')
  await app.inject('/untouched')
  t.equal(calls, 2)
})

t.test('the grants that a process remembers are bounded: the oldest that waits for nothing goes first', async t => {
  const memory = new GrantMemory()
  const waiting = { result: Promise.resolve(null), late: Promise.resolve(), isLate: false }
  const grantOf = (refresh: Grant['refresh'] = null): Grant => ({ newest: null, refresh, retryAtMs: 0 })
  memory.remember(grantOf(waiting), 'waits', 0)
  for (let count = 0; count < 20_000; count++) memory.remember(grantOf(), `name-${count}`, 0)
  t.ok(memory.find('waits', 0))
  t.notOk(memory.find('name-0', 0))
  t.ok(memory.find('name-1', 0))
  t.notOk(memory.isEmpty(KEPT_MS - 1))
  t.ok(memory.isEmpty(KEPT_MS))
  memory.remember(grantOf(), 'later', 1000)
  memory.remember(grantOf(), 'after the clock was set back', 0)
  t.notOk(memory.find('after the clock was set back', KEPT_MS))
  const busy = new GrantMemory()
  for (let count = 0; count <= 20_000; count++) busy.remember(grantOf(waiting), `name-${count}`, 0)
  t.ok(busy.find('name-0', 0))
})
