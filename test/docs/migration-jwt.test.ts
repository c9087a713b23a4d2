import jwt from '@fastify/jwt'
import t, { type Test } from 'tap'
import { bareApp } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { runSnippet } from '../helpers/snippet'
import { Browser } from './migration-browser'
import { ADA, addRoutes, appOf, appWithOld, block, DAY_MS, moves, OLD_SECRET, withCookies } from './migration-page'

/** The page's opener for JWT cookies, for tokens that the real @fastify/jwt signed. */

process.env['JWT_SECRET'] = OLD_SECRET

const JWT_CODE = "algorithms: ['HS256']"
const JWT_OPTIONS = { secret: OLD_SECRET, cookie: { cookieName: 'token', signed: false } }

async function oldJwt (t: Test, options: object = {}, sign: object = { expiresIn: '60d' }): Promise<Browser> {
  return await Browser.at(await appWithOld(t, async app => { await withCookies(app, jwt, { ...JWT_OPTIONS, ...options }) }, app => {
    app.post('/login', async (_request, reply) => {
      const token = await reply.jwtSign(ADA, { sign })
      return reply.setCookie('token', token, { path: '/', httpOnly: true }).send({ token })
    })
  }))
}

t.test('docs/migration.md: the claims of a JWT become values of the session, and the times do not', async t => {
  const ada = await oldJwt(t)
  await ada.post('/login')
  await moves(t, ada, await appOf(t, block(t, 'js', JWT_CODE)))
})

t.test('docs/migration.md: iat of a JWT is when the session began, and exp counts until the migration', async t => {
  const clock = fakeClock(t, Date.now())
  const long = await oldJwt(t)
  const short = await oldJwt(t, {}, { expiresIn: '1h' })
  await long.post('/login')
  await short.post('/login')
  const app = await appOf(t, block(t, 'js', JWT_CODE))
  const moved = await short.copy().goTo(app)
  await moved.post('/theme/dark')
  clock.advance(DAY_MS / 4)
  t.strictSame(await moved.get('/me'), ADA)
  t.strictSame(await (await short.goTo(app)).get('/me'), {})
  clock.advance(19 * DAY_MS)
  const { createdAt, renewedAt } = await (await long.copy().goTo(app)).get('/info')
  t.ok(renewedAt - createdAt > 19 * DAY_MS)
  clock.advance(11 * DAY_MS)
  t.strictSame(await (await long.goTo(app)).get('/me'), {}, 'older than "absolute"')
})

t.test('docs/migration.md: a JWT with another algorithm, secret or spelling is no session', async t => {
  const app = await appOf(t, block(t, 'js', JWT_CODE))
  const other = bareApp(t)
  await withCookies(other, jwt, { secret: OLD_SECRET, sign: { algorithm: 'HS512' } })
  const stranger = bareApp(t)
  await withCookies(stranger, jwt, { secret: 'another secret' })
  await Promise.all([other.ready(), stranger.ready()])
  const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const unsigned = `${base64url({ alg: 'none', typ: 'JWT' })}.${base64url({ ...ADA, iat: 1 })}.`
  for (const token of [other.jwt.sign(ADA), stranger.jwt.sign(ADA), unsigned, 'x', '']) {
    t.strictSame((await app.inject({ url: '/me', headers: { cookie: `token=${token}` } })).json(), {})
  }
})

t.test('docs/migration.md: a signed JWT cookie is unsigned first', async t => {
  const ada = await Browser.at(await appWithOld(t, async app => {
    await app.register(require('@fastify/cookie'), { secret: OLD_SECRET })
    await app.register(jwt, JWT_OPTIONS)
  }, app => {
    app.post('/login', async (_request, reply) => reply.setCookie('token', await reply.jwtSign(ADA), { path: '/', signed: true }).send({}))
  }))
  await ada.post('/login')
  const code = block(t, 'js', JWT_CODE)
    .replace("require('@fastify/cookie'))", "require('@fastify/cookie'), { secret: process.env.JWT_SECRET })")
    .replace('app.jwt.verify(value)', 'app.jwt.verify(app.unsignCookie(decodeURIComponent(value)).value)')
  await moves(t, ada, await appOf(t, code))
})

t.test('docs/migration.md: a JWT from localStorage is sent once', async t => {
  const { token } = await (await oldJwt(t)).post('/login')
  const app = await appOf(t, block(t, 'js', JWT_CODE), {}, app => {
    runSnippet(block(t, 'js', "app.post('/session'"), { app })
    addRoutes(app)
  })
  const ada = await Browser.at(app)
  t.equal((await ada.send('/session', { method: 'POST' })).status, 401)
  t.equal((await ada.send('/session', { method: 'POST', headers: { authorization: `Bearer ${token}` } })).status, 200)
  t.strictSame(await ada.get('/me'), ADA)
})
