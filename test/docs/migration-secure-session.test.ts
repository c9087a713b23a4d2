import csrfProtection from '@fastify/csrf-protection'
import fp from 'fastify-plugin'
import t from 'tap'
import secureSession from '../../index'
import { fakeClock } from '../helpers/clock'
import { bareApp, KEY, OTHER_KEY, type TestApp } from '../helpers/app'
import { Browser } from './migration-browser'
import { ADA, addRoutes, appOf, appWithOld, block, DAY_MS, oldAppOf, PAGE, peer, sideOf, withCookies } from './migration-page'
import { quickPassphrases } from '../helpers/quick-passphrases'

t.teardown(quickPassphrases())

const MOVED = 'a session migrated from a legacy cookie'

function moves ({ lines }: TestApp): number {
  return lines.filter(({ msg, level }) => msg === MOVED && level === 30).length
}

t.test('after the two changed lines a user is still logged in, and a logout leaves no cookie that opens', async t => {
  const diff = block(t, 'diff', 'secureSessionOpener')
  const old = await appOf(t, sideOf(diff, '-'))
  const app = await appOf(t, sideOf(diff, '+'))
  t.match(PAGE, MOVED)

  const ada = await Browser.at(old)
  await ada.post('/login')
  await ada.post('/theme/dark')
  await ada.goTo(app)
  const copy = ada.copy()
  await ada.get('/untouched')
  t.strictSame(await ada.get('/me'), ADA)
  t.strictSame(await ada.get('/theme'), { theme: 'dark' })
  t.equal(moves(app), 0, 'a request that only reads migrates nothing')
  await ada.post('/theme/light')
  t.equal(moves(app), 1)
  await ada.post('/theme/dark')
  t.equal(moves(app), 1, 'it migrates once')
  t.strictSame(ada.cookies, ['session /'])
  await ada.goTo(old)
  t.strictSame(await ada.get('/me'), {}, 'the old cookie is gone, and with it the way back')

  await ada.goTo(app)
  await ada.post('/logout')
  t.strictSame(ada.cookies, [])
  t.strictSame(await ada.get('/me'), {})
  t.strictSame(await copy.get('/me'), ADA, 'a copy that somebody took is good until it is over')
})

t.test('after the old expiry no legacy cookie is migrated, so the opener can be removed', async t => {
  const clock = fakeClock(t, Date.now())
  const ada = await Browser.at(await oldAppOf(t))
  await ada.post('/login')
  await ada.goTo(await appOf(t, sideOf(block(t, 'diff', 'secureSessionOpener'), '+')))
  clock.advance(DAY_MS + 1000)
  t.strictSame(await ada.get('/me'), {})
})

t.test('a longer expiry counts if both the opener and the registration have it', async t => {
  const WEEK_S = 7 * 86_400
  for (const [ofOpener, ofSession, expected] of [[WEEK_S, WEEK_S, ADA], [undefined, WEEK_S, {}], [WEEK_S, undefined, {}]] as const) {
    const clock = fakeClock(t, Date.now())
    const ada = await Browser.at(await oldAppOf(t, { key: OTHER_KEY, expiry: WEEK_S, cookie: { path: '/' } }))
    await ada.post('/login')
    clock.advance(3 * DAY_MS)
    const app = bareApp(t)
    const opener = secureSession.secureSessionOpener({ key: OTHER_KEY, ...(ofOpener && { expiry: ofOpener }) })
    await app.register(secureSession, { key: KEY, legacy: [opener], ...(ofSession && { expiry: ofSession }) })
    addRoutes(app)
    await ada.goTo(app)
    t.strictSame(await ada.get('/me'), expected)
  }
})

t.test('open forms stay valid, and plugins that depend on the old library find it', async t => {
  const withForms = (app: TestApp): void => {
    app.get('/form', async (_request, reply) => ({ token: reply.generateCsrf() }))
    app.post('/transfer', { preHandler: app.csrfProtection }, async () => ({ done: true }))
  }
  const old = await appWithOld(t, async app => {
    await withCookies(app, peer, { key: OTHER_KEY, cookie: { path: '/' } })
    await app.register(csrfProtection, { sessionPlugin: '@fastify/secure-session' })
  }, app => { withForms(app as TestApp) })
  const app = bareApp(t)
  await app.register(require('@fastify/formbody'))
  await app.register(secureSession, { key: KEY, legacy: [secureSession.secureSessionOpener({ key: OTHER_KEY })] })
  await app.register(fp(async () => {}, { name: 'of-yours', dependencies: ['@fastify/secure-session'] }))
  await app.register(csrfProtection, { sessionPlugin: '@fastify/secure-session' })
  withForms(app)

  const ada = await Browser.at(old)
  const { token } = await ada.get('/form')
  await ada.goTo(app)
  t.strictSame(await ada.post('/transfer', { _csrf: token }), { done: true })
  t.match(await ada.post('/transfer', { _csrf: 'another' }), { statusCode: 403 })
})

t.test('signed cookies of the app are verified if it registers the cookie plugin as documented', async t => {
  const sodium = require('sodium-native')
  const hash = Buffer.alloc(32)
  sodium.crypto_generichash(hash, OTHER_KEY)
  const secret = 'a passphrase of more than thirty-two bytes'
  for (const [options, signedWith] of [[{ key: OTHER_KEY }, hash.toString('hex')], [{ secret }, secret]] as const) {
    const old = await oldAppOf(t, { ...options, cookie: { path: '/' } })
    await old.ready()
    const signed = old.signCookie('value')
    const app = bareApp(t)
    await withCookies(app, secureSession, { key: KEY })
    t.throws(() => app.unsignCookie(signed), 'without a secret it cannot')
    const other = bareApp(t)
    await other.register(require('@fastify/cookie'), { secret: signedWith })
    await other.register(secureSession, { key: KEY })
    t.match(other.unsignCookie(signed), { valid: true, value: 'value' })
  }
})

t.test('a legacy cookie on another path opens again after a logout', async t => {
  const clock = fakeClock(t, Date.now())
  const ada = await Browser.at(await oldAppOf(t, { key: OTHER_KEY }))
  await ada.post('/auth/login')
  t.strictSame(ada.cookies, ['session /auth'])
  await ada.goTo(await appOf(t, sideOf(block(t, 'diff', 'secureSessionOpener'), '+')))
  clock.advance(DAY_MS / 3)
  t.strictSame(await ada.get('/auth/me'), ADA)
  t.strictSame(ada.cookies, ['session /', 'session /auth'], 'the new cookie has another path')
  await ada.post('/logout')
  t.strictSame(await ada.get('/me'), {})
  t.strictSame(await ada.get('/auth/me'), ADA)
  t.strictSame(await ada.get('/me'), ADA, 'and has migrated to every path')
})

t.test('a legacy cookie that is not sent cannot be migrated: a new session counts on its path, too', async t => {
  const ada = await Browser.at(await oldAppOf(t, { key: OTHER_KEY }))
  await ada.post('/auth/login')
  await ada.goTo(await appOf(t, block(t, 'js', "path: '/auth'")))
  await ada.post('/theme/dark')
  t.strictSame(await ada.get('/auth/me'), {})
  await ada.post('/logout')
  t.strictSame(ada.cookies, [], 'and a logout clears what was left')
})

t.test('an opener with the path of a legacy cookie clears it, when it migrates and at a logout', async t => {
  const clock = fakeClock(t, Date.now())
  const old = await oldAppOf(t, { key: OTHER_KEY })
  const app = await appOf(t, block(t, 'js', "path: '/auth'"))
  for (const move of ['/auth/me', '/me']) {
    for (const login of ['/auth/login', '/login']) {
      const ada = await Browser.at(old)
      await ada.post(login)
      await ada.goTo(app)
      clock.advance(DAY_MS / 3)
      await ada.get(move)
      t.notOk(ada.cookies.includes('session /auth') && move === '/auth/me', `${login}, then ${move}`)
      await ada.post('/logout')
      t.strictSame(ada.cookies, [])
      t.strictSame(await ada.get('/auth/me'), {})
    }
  }
})
