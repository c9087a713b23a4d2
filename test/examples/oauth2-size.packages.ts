import { randomBytes } from 'node:crypto'
import fastify from 'fastify'
import t from 'tap'
import secureSession from '../../index'
import { World } from './oauth2-world'

/** How much of a provider's tokens one cookie takes: the numbers in the README of examples/oauth. */

const COOKIE = '__Host-session'

function text (characters: number): string {
  return randomBytes(characters).toString('base64url').slice(0, characters)
}

t.test('opaque tokens take a tenth of a cookie, JWTs most of it, and an additional ID token does not fit', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(secureSession, { key: Buffer.alloc(32, 1), cookieName: COOKIE })
  const length = (access: number, refresh: number, id?: number) => app.encodeSecureSession(app.createSecureSession({
    user: { id: '248289761001', name: 'Ada Lovelace' },
    csrf: text(24),
    tokens: { accessToken: text(access), refreshToken: text(refresh), expiresAt: Date.UTC(2026, 0, 1), ...(id === undefined ? {} : { id: text(id) }) }
  })).length

  t.equal(length(43, 43), 428)
  t.equal(length(1200, 43), 1971)
  t.equal(length(1500, 1000), 3647)
  t.equal(length(1800, 980), 4020)
  t.throws(() => length(1800, 981), { code: 'FST_SESSION_TOO_LARGE' })
  t.throws(() => length(1300, 800, 1200), { code: 'FST_SESSION_TOO_LARGE' })
})

t.test('a provider whose tokens do not fit causes an error page and a log line, and no session', async t => {
  const world = await World.start(t)
  await world.pad(3000)
  const visitor = world.visitor()
  const { status, text } = await visitor.signIn('ada')
  t.equal(status, 500)
  t.match(text, 'Something went wrong')
  t.notOk(visitor.cookies.has('session'))
  const log = (await world.logged()).join('')
  t.match(log, 'FST_SESSION_TOO_LARGE')
  t.notOk(log.includes((await world.newest()).access_token))
})
