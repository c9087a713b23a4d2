import t from 'tap'
import secureSession from '../../index'
import { freshTokens, type FreshTokensOptions, type Tokens } from '../../lib/fresh-tokens'
import { appWith, bareApp, KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'

const INVALID = { code: 'FST_SESSION_INVALID_OPTION' }
const GOOD = { key: 'tokens', refresh: () => null }

t.test('options are checked at the call, and the message says what was found', async t => {
  const wrong: Array<[unknown, RegExp]> = [
    [undefined, /in an object; found undefined/],
    ['tokens', /a string of 6 characters/],
    [{ ...GOOD, refreshToken: 'x' }, /"refreshToken" is unknown; known are key/],
    [{ ...GOOD, key: undefined }, /"key" must be a string that is not empty/],
    [{ ...GOOD, key: 5 }, /"key" must be a string/],
    [{ key: 'tokens' }, /"refresh" must be a function .* found undefined/],
    [{ ...GOOD, before: '0s' }, /"before" must be seconds/],
    [{ ...GOOD, before: 'soon' }, /"before" must be seconds/],
    [{ ...GOOD, timeout: -1 }, /"timeout" must be seconds/],
    [{ ...GOOD, timeout: '61s' }, /"timeout" must be at most a minute; found 61 seconds/],
    [{ ...GOOD, sessionName: '' }, /"sessionName" must be a string/],
    [{ ...GOOD, lock: null }, /option "lock" takes a client/],
    [{ ...GOOD, lock: { get () {} } }, /option "lock" takes a client/]
  ]
  for (const [options, message] of wrong) {
    t.throws(() => freshTokens(options as FreshTokensOptions), { ...INVALID, message })
  }
  const lock = { get: async () => null, eval: async () => null }
  for (const more of [{ before: 1 }, { timeout: '1m' }, { lock }, { lock: undefined, before: undefined, sessionName: undefined }]) {
    t.doesNotThrow(() => freshTokens({ ...GOOD, ...more }))
  }
})

t.test('a key is registered once in a scope and its inner scopes', async t => {
  const app = await appWith(t)
  app.register(freshTokens(GOOD))
  app.register(async scope => { scope.register(freshTokens(GOOD)) })
  await t.rejects(async () => { await app.ready() }, { ...INVALID, message: /a registration for "tokens" already/ })
})

t.test('calls with wrong options are errors that say what was wanted', async t => {
  const app = await appWith(t)
  app.register(freshTokens(GOOD))
  app.register(freshTokens({ ...GOOD, key: 'other' }))
  let options: unknown
  app.get('/token', async request => await request.freshToken(options as object))
  app.get('/newest', async request => await request.newestTokens(options as object))
  const browser = new Browser(app)
  const wrong: Array<[unknown, RegExp]> = [
    [null, /in an object; found null/], ['tokens', /in an object/], [{ name: 'x' }, /"name" is unknown/],
    [{ key: 'third' }, /must be one of "tokens", "other"; found a string of 5/], [{}, /must say which of "tokens", "other"/]
  ]
  for (const [given, message] of wrong) {
    options = given
    for (const url of ['/token', '/newest']) t.match(await browser.json(url), { ...INVALID, message })
  }
  options = { key: 'tokens', refused: 5 }
  t.match(await browser.json('/token'), { ...INVALID, message: /"refused" must be an access token; found 5/ })
})

t.test('an app without that session does not start, also where it has another session, or another library for sessions', async t => {
  const app = bareApp(t)
  const named = await appWith(t)
  const library = bareApp(t)
  app.register(freshTokens(GOOD))
  named.register(freshTokens({ ...GOOD, sessionName: 'admin' }))
  library.decorateRequest('session', null as never).register(freshTokens(GOOD))
  for (const each of [app, named, library]) {
    await t.rejects(async () => { await each.ready() }, { ...INVALID, message: /this scope has no session "(session|admin)"/ })
  }
})

t.test('before its session is ready, the error says so', async t => {
  const other = await appWith(t, { key: KEY, subject: () => 'ada', revocation: { store: secureSession.memoryRevocation() } })
  other.register(freshTokens(GOOD))
  other.get('/token', { config: { session: false } }, async request => await request.freshToken())
  t.match((await other.inject('/token')).json(), { code: 'FST_SESSION_NOT_READY' })
})

t.test('a property of requests that the app has already is not replaced', async t => {
  const app = await appWith(t)
  app.decorateRequest('freshToken', null as never)
  app.register(freshTokens(GOOD))
  await t.rejects(async () => { await app.ready() }, { code: 'FST_ERR_DEC_ALREADY_PRESENT' })
})

t.test('types: refresh is given and gives the app\'s own tokens', async t => {
  interface Mine extends Tokens { scope: string }
  freshTokens<Mine>({ key: 'tokens', refresh: async tokens => ({ ...tokens, scope: tokens.scope.trim() }) })
  // @ts-expect-error scope is missing
  freshTokens<Mine>({ key: 'tokens', refresh: async () => ({ accessToken: 'a', expiresAt: 1 }) })
  // @ts-expect-error an end as text
  freshTokens({ key: 'tokens', refresh: async () => ({ accessToken: 'a', expiresAt: '1' }) })
  freshTokens({ key: 'tokens', refresh: async (_tokens, request, signal) => request.url !== '' && signal.aborted ? null : null })
  t.throws(() => {
    // @ts-expect-error no key
    freshTokens({ refresh: () => null })
  })
  const app = bareApp(t)
  app.register(freshTokens(GOOD))
  app.get('/', async request => {
    const scope: string | undefined = (await request.newestTokens<Mine>())?.scope
    const token: string = await request.freshToken({ key: 'tokens', refused: scope })
    // @ts-expect-error null where there are none
    return [token, (await request.newestTokens({ key: 'tokens' })).accessToken]
  })
})
