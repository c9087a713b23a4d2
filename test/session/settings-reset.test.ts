import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

type Step = 'regenerate' | 'keep' | 'ada' | 'bob' | 'nobody' | 'options' | 'delete' | 'info' | 'others' | 'touch'

const DAY_MS = 86_400_000
const REMEMBERED = { maxAge: 90 * 86_400 }
const OTHER = { idle: '2d', absolute: '60d', persistent: true }

/** `/do?steps=…` takes these steps in one request. */
async function site (t: Test, options: Partial<secureSession.SessionOptions> = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, subject: session => session.get('user'), ...options })
  addRoutes(app)
  app.get('/remember', async ({ session }) => {
    session.regenerate()
    session.options(REMEMBERED)
    session.set('user', 'ada')
    return {}
  })
  app.get('/do', async ({ session, query }) => {
    for (const step of (query as { steps: string }).steps.split(',') as Step[]) {
      if (step === 'regenerate') session.regenerate()
      else if (step === 'keep') session.regenerate(['user'])
      else if (step === 'options') session.options(OTHER)
      else if (step === 'delete') session.delete()
      else if (step === 'touch') session.touch()
      else if (step === 'info') session.info.id.toString()
      else if (step === 'others') await session.revokeOthers()
      else if (step === 'nobody') session.unset('user')
      else session.set('user', step)
    }
    return {}
  })
  return app
}

/** Max-Age, and how many days the session may be idle and live in all; read after it, from the cookie. */
async function settingsAfter (browser: Browser, steps: string): Promise<string> {
  const response = await browser.get(`/do?steps=${steps}`)
  const line = setCookies(response).find(line => /^session=\w/.test(line)) ?? 'no cookie'
  const maxAge = /Max-Age=(\d+)/.exec(line)?.[1]
  const { expiresAt, renewedAt } = await browser.json('/info')
  return `${maxAge === undefined ? 'no' : Number(maxAge) / 86_400} Max-Age, ${(expiresAt - renewedAt) / DAY_MS} idle`
}

const AS_CONFIGURED = 'no Max-Age, 1 idle'
const AS_REMEMBERED = '90 Max-Age, 90 idle'
const AS_OTHER = '60 Max-Age, 2 idle'

for (const [steps, settings, what] of [
  ['regenerate', AS_CONFIGURED, 'regenerate() resets the own options of a session'],
  ['keep', AS_CONFIGURED, 'regenerate(keep) resets the own options of a session'],
  ['regenerate,bob', AS_CONFIGURED, 'regenerate() and a new user reset the own options'],
  ['bob,regenerate', AS_CONFIGURED, 'a new user and regenerate() reset the own options'],
  ['bob', AS_CONFIGURED, 'a new user resets the own options without regenerate()'],
  ['bob,info', AS_CONFIGURED, 'a new user resets the own options, also if info is read'],
  ['nobody', AS_CONFIGURED, 'removing the user resets the own options'],
  ['regenerate,options,bob', AS_OTHER, 'options between regenerate() and the login stay'],
  ['regenerate,bob,options', AS_OTHER, 'options after regenerate() and the login stay'],
  ['options,regenerate,bob', AS_OTHER, 'options before regenerate() and the login stay'],
  ['bob,regenerate,options', AS_OTHER, 'options after the login and regenerate() stay'],
  ['bob,options,keep', AS_OTHER, 'options between the login and regenerate(keep) stay'],
  ['options,bob,keep', AS_OTHER, 'options before the login and regenerate(keep) stay'],
  ['options,bob', AS_OTHER, 'options before a login without regenerate() stay'],
  ['bob,options', AS_OTHER, 'options after a login without regenerate() stay'],
  ['bob,info,options', AS_OTHER, 'options after a login whose info was read stay'],
  ['options,bob,info', AS_OTHER, 'options before a login whose info is read stay'],
  ['options,regenerate,regenerate,bob', AS_OTHER, 'options stay through two calls of regenerate()'],
  ['delete,bob', AS_CONFIGURED, 'delete() resets the own options'],
  ['options,delete,bob', AS_CONFIGURED, 'delete() resets options of the same request before it'],
  ['delete,options,bob', AS_OTHER, 'options after delete() belong to the new session'],
  ['ada,touch', AS_REMEMBERED, 'the same user again keeps the own options'],
  ['bob,ada', AS_REMEMBERED, 'a change of user that is undone keeps the own options']
] as const) {
  t.test(`${what} (${steps})`, async t => {
    fakeClock(t)
    const browser = new Browser(await site(t))
    await browser.get('/remember')
    t.equal(await settingsAfter(browser, steps), settings)
  })
}

t.test('without the option subject, only regenerate() resets the options of a session', async t => {
  fakeClock(t)
  const app = await appWith(t)
  addRoutes(app)
  app.get('/remember', async ({ session }) => { session.options(REMEMBERED); session.set('user', 'ada'); return {} })
  const browser = new Browser(app)
  await browser.get('/remember')
  t.match(setCookies(await browser.get('/set/user/bob')), [/; Max-Age=7776000;/])
  t.notMatch(setCookies(await browser.get('/regenerate'))[0], /Max-Age/)
})

t.test('revokeOthers() keeps the options of a session, because the user is the same', async t => {
  fakeClock(t)
  const browser = new Browser(await site(t, { revocation: { store: secureSession.memoryRevocation() } }))
  await browser.get('/remember')
  t.equal(await settingsAfter(browser, 'others'), AS_REMEMBERED)
  t.equal(await settingsAfter(browser, 'regenerate,ada'), AS_CONFIGURED)
})

t.test('a login in an anonymous session with its own options resets them', async t => {
  fakeClock(t)
  const app = await site(t)
  app.get('/cart', async ({ session }) => { session.set('cart', 1); session.options(REMEMBERED); return {} })
  const browser = new Browser(app)
  await browser.get('/cart')
  t.equal(await settingsAfter(browser, 'ada'), AS_CONFIGURED)
})

t.test('the options of a session do not return in the next session, nor after a later login', async t => {
  fakeClock(t)
  const browser = new Browser(await site(t))
  await browser.get('/remember')
  t.equal(await settingsAfter(browser, 'bob'), AS_CONFIGURED)
  t.match(setCookies(await browser.get('/set/a/b')), [/^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/])
  t.equal(await settingsAfter(browser, 'options'), AS_OTHER)
  t.equal(await settingsAfter(browser, 'ada'), AS_CONFIGURED)
})

t.test('a login clears cookies with the old options, and the new cookie has the configured attributes', async t => {
  const app = await site(t)
  app.get('/move', async ({ session }) => {
    session.set('user', 'ada')
    session.options({ path: '/app', domain: 'example.org' })
    return {}
  })
  for (const steps of ['regenerate,bob', 'bob']) {
    const browser = new Browser(app)
    await browser.get('/move')
    t.match(setCookies(await browser.get(`/do?steps=${steps}`)), [
      /^session=; Max-Age=0.*; Domain=example\.org; Path=\/app;/,
      /^session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/
    ])
  }
})

t.test('attributes that the login sets override the configured ones, not the old ones', async t => {
  const app = await site(t)
  app.get('/first', async ({ session }) => {
    session.set('user', 'ada')
    session.options({ path: '/app', priority: 'high' })
    return {}
  })
  app.get('/second', async ({ session }) => {
    session.options({ sameSite: 'strict' })
    session.set('user', 'bob')
    return {}
  })
  const browser = new Browser(app)
  await browser.get('/first')
  t.match(setCookies(await browser.get('/second')).at(-1), /^session=[\w-]+; Path=\/; HttpOnly; SameSite=Strict$/)
})

t.test('attributes that are invalid without those of the old session throw at the call', async t => {
  const app = await appWith(t, { key: KEY, cookie: { sameSite: 'none' } })
  app.get('/lax', async ({ session }) => { session.set('a', 1); session.options({ sameSite: 'lax' }); return {} })
  app.get('/open', async ({ session }) => { session.options({ secure: false }); return {} })
  const browser = new Browser(app)
  await browser.get('/lax')
  t.match((await browser.get('/open')).json(),
    { code: 'FST_SESSION_INVALID_OPTION', message: /sameSite: "none" needs secure/ })
})
