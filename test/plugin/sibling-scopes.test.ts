import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, bareApp, KEY, OTHER_KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'

type Options = secureSession.SessionOptions

const INVALID = 'FST_SESSION_INVALID_OPTION'
const OWN_JSON = {
  serialize: (data: object) => JSON.stringify(data),
  deserialize: (bytes: Buffer) => JSON.parse(bytes.toString())
}
const FROM_SESSION = { sessionName: 'login', legacy: [secureSession.sealedOpener({ cookieName: 'session' })] }

/** An app with one scope for each of these, beside each other: `/a`, `/b` and so on. */
async function siblings (t: Test, ...all: Array<Partial<Options>>): Promise<TestApp> {
  const app = bareApp(t)
  for (const [index, options] of all.entries()) {
    app.register(async scope => {
      await scope.register(secureSession, { ...options.keyring === undefined ? { key: KEY } : {}, ...options })
      if (options.sessionName === undefined) addRoutes(scope)
    }, { prefix: `/${'abc'.charAt(index)}` })
  }
  await app.ready()
  return app
}

for (const [what, first, second, message] of [
  ['other keys', {}, { key: OTHER_KEY },
    /"cookieName": another scope of this app has the cookie "session", too, with other keys/],
  ['a key that the other scope does not have', {}, { key: [OTHER_KEY, KEY] }, /with other keys/],
  ['other keys below the path of the other scope', {}, { key: OTHER_KEY, cookie: { path: '/b' } },
    /other keys.*"\/b" and "\/"/],
  ['other keys above the path of the other scope', { cookie: { path: '/a/b' } }, { key: OTHER_KEY, cookie: { path: '/a/' } }, /other keys/],
  ['the same keys and a path below the path of the other scope', {}, { cookie: { path: '/b' } },
    /another path or domain that overlaps/],
  ['other keys at a path below that of the other scope', { cookie: { path: '/b' } },
    { key: OTHER_KEY, cookie: { path: '/b/c' } }, /other keys/],
  ['the same keys and a domain', {}, { cookie: { domain: 'example.org' } }, /another path or domain that overlaps/],
  ['the same keys and no domain', { cookie: { domain: 'example.org' } }, {}, /another path or domain that overlaps/],
  ['other keys and a subdomain',
    { cookie: { domain: '.example.org' } }, { key: OTHER_KEY, cookie: { domain: 'a.Example.org' } },
    /other keys/],
  ['other keys and the domain above',
    { cookie: { domain: 'a.example.org' } }, { key: OTHER_KEY, cookie: { domain: 'example.org' } }, /other keys/],
  ['a serializer that the other scope does not have', {}, { serializer: OWN_JSON }, /another serializer/],
  ['no serializer, where the other scope has one', { serializer: OWN_JSON }, {}, /another serializer/],
  ['another session name beside a subject', { subject: () => 1 }, { sessionName: 'login', cookieName: 'session' },
    /another "sessionName"/],
  ['another session name and a subject', {}, { sessionName: 'login', cookieName: 'session', subject: () => 1 },
    /another "sessionName"/],
  ['a cookie that is the stamp of the other scope', {}, { sessionName: 'login', cookieName: 'session.t' },
    /"session\.t".*another meaning/],
  ['a legacy cookie that is in use in the other scope', {}, FROM_SESSION,
    /"legacy": the legacy cookie "session" contains sessions of another scope/],
  ['a cookie that is a legacy one in the other scope', FROM_SESSION, {},
    /"legacy": the legacy cookie "session"/]
] as const) {
  t.test(`a scope with ${what} is refused at boot beside one with the same cookie name`, async t => {
    await t.rejects(siblings(t, first as Partial<Options>, second as Partial<Options>), { code: INVALID, message })
  })
}

for (const [what, first, second] of [
  ['the same options', {}, {}],
  ['the same options and limits of its own', { idle: '1d' }, { idle: '1h' }],
  ['the same keys in another order', { key: [KEY, OTHER_KEY] }, { key: [OTHER_KEY, KEY] }],
  ['another session name, without a subject', {}, { sessionName: 'login', cookieName: 'session' }],
  ['a serializer that both can read', { serializer: OWN_JSON }, { serializer: { ...OWN_JSON, writes: false } }],
  ['other keys at another path', { cookie: { path: '/a' } }, { key: OTHER_KEY, cookie: { path: '/b' } }],
  ['other keys at a path with the same first letters',
    { cookie: { path: '/a' } }, { key: OTHER_KEY, cookie: { path: '/ab' } }],
  ['other keys at a path with the same first letters and a slash',
    { cookie: { path: '/a/' } }, { key: OTHER_KEY, cookie: { path: '/ab' } }],
  ['other keys on another domain',
    { cookie: { domain: 'a.example.org' } }, { key: OTHER_KEY, cookie: { domain: 'b.example.org' } }],
  ['the same subject', { subject: () => 1 }, { subject: () => 1 }],
  ['an old cookie that the other scope does not have', {},
    { sessionName: 'login', legacy: [secureSession.sealedOpener({ cookieName: 'old' })] }],
  ['another cookie name', {}, { key: OTHER_KEY, sessionName: 'login' }],
  ['an old cookie at another path than that of the other scope', { cookie: { path: '/a' } },
    { sessionName: 'login', legacy: [secureSession.sealedOpener({ cookieName: 'session', cookie: { path: '/b' } })] }]
] as const) {
  t.test(`a scope with ${what} boots beside one with the same cookie name`, async t => {
    await siblings(t, first as Partial<Options>, second as Partial<Options>)
  })
}

t.test('two sibling scopes with the same options have the same session', async t => {
  const browser = new Browser(await siblings(t, {}, {}))
  await browser.get('/a/set/user/ada')
  t.strictSame(await browser.json('/b/get'), { user: 'ada' })
  await browser.get('/b/delete')
  t.strictSame(await browser.json('/a/get'), {})
})

t.test('a scope inside a sibling is compared as well, and an outer scope is not', async t => {
  const app = bareApp(t)
  app.register(async scope => { await scope.register(secureSession, { key: KEY }) })
  app.register(async scope => {
    await scope.register(secureSession, { key: KEY, sessionName: 'login' })
    await scope.register(async inner => { await inner.register(secureSession, { key: OTHER_KEY }) })
  })
  await t.rejects(async () => { await app.ready() }, { code: INVALID, message: /"session", too, with other keys/ })
})

t.test('a registration in the app itself is compared with scopes that were loaded before it', async t => {
  const app = bareApp(t)
  app.register(async scope => { await scope.register(secureSession, { key: KEY }) })
  app.register(secureSession, { key: OTHER_KEY })
  await t.rejects(async () => { await app.ready() }, { code: INVALID, message: /with other keys/ })
})

t.test('two apps in one process are not compared', async t => {
  await siblings(t, {})
  await siblings(t, { key: OTHER_KEY })
})
