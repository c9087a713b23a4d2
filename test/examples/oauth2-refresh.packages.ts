import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import t from 'tap'
import type { Visitor } from './oauth2-visitor'
import { World } from './oauth2-world'

/** Access tokens that are over, at a provider that gives a new refresh token each time, and ends the grant when an old one comes again. */

const LIFE_MS = 60_000
const KEPT_MS = 5 * 60_000

let world: World
t.before(async () => { world = await World.start(t) })
t.beforeEach(async () => { await world.reset() })

async function ada (): Promise<Visitor> {
  const visitor = world.visitor()
  await visitor.signIn('ada')
  return visitor
}

t.test('a valid token is used repeatedly, and the session is not written', async t => {
  const visitor = await ada()
  const before = visitor.session
  for (let count = 0; count < 3; count++) t.equal((await visitor.go('/orders')).status, 200)
  await world.advance(LIFE_MS - 15_000)
  t.equal((await visitor.go('/orders')).status, 200)
  t.equal(visitor.session, before)
  t.strictSame(await world.refreshes(), [])
})

t.test('twenty parallel requests with an expired token refresh it once, and all are answered', async t => {
  const visitor = await ada()
  const old = await world.heldBy(visitor)
  await world.advance(LIFE_MS)
  await world.hold()
  const tabs = Array.from({ length: 20 }, () => visitor.copy())
  const answers = Promise.all(tabs.map((tab, index) => tab.go(index % 2 === 0 ? '/orders' : '/account')))
  await world.untilWaiting(1)
  await world.release()

  for (const { status, text } of await answers) {
    t.equal(status, 200)
    t.match(text, 'Ada Lovelace')
  }
  t.strictSame(await world.refreshes(), [null])
  const newest = await world.newest()
  t.not(newest.refresh_token, old.tokens.refreshToken, 'the provider gives a new refresh token each time')
  for (const tab of tabs) {
    const { tokens } = await world.heldBy(tab)
    t.strictSame([tokens.accessToken, tokens.refreshToken], [newest.access_token, newest.refresh_token], 'and every answer brought it')
  }

  t.equal((await visitor.go('/orders')).status, 200, 'a late request with the old cookie')
  t.strictSame(await world.refreshes(), [null], 'makes no second refresh')
  t.strictSame((await world.heldBy(visitor)).tokens, (await world.heldBy(tabs[0] as Visitor)).tokens)
})

t.test('a request with a token that was refreshed several times follows these refreshes', async t => {
  const late = await ada()
  const visitor = late.copy()
  for (let count = 0; count < 2; count++) {
    await world.advance(LIFE_MS)
    t.equal((await visitor.go('/orders')).status, 200)
  }
  t.equal((await late.go('/orders')).status, 200)
  t.strictSame(await world.refreshes(), [null, null])
  t.equal((await world.heldBy(late)).tokens.refreshToken, (await world.newest()).refresh_token)
})

t.test('the result of a refresh is dropped after a while; the old cookie then ends the grant', async t => {
  const old = await ada()
  const visitor = old.copy()
  await world.advance(LIFE_MS)
  await visitor.go('/orders')
  await world.advance(KEPT_MS)
  t.equal((await old.go('/orders')).status, 401)
  t.strictSame(await world.refreshes(), [null, 'invalid_grant'])
  t.equal((await visitor.go('/orders')).status, 401, 'for every holder of it')
})

t.test('a request that began before a refresh, and writes the session after it, keeps the new tokens', async t => {
  const visitor = await ada()
  const { csrf } = await world.heldBy(visitor)
  const body = new URLSearchParams({ csrf, first: 'oldest' }).toString()
  // Node answers 100 right before it hands the request to the site, whose hooks then find the token still good.
  const slow = request(`${world.site}/orders/first`, {
    method: 'POST',
    headers: { cookie: `session=${visitor.session}`, 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length, expect: '100-continue' }
  })
  const answered = once(slow, 'response') as Promise<[IncomingMessage]>
  slow.flushHeaders()
  await once(slow, 'continue')
  await world.advance(LIFE_MS)
  await visitor.go('/account')
  t.strictSame(await world.refreshes(), [null])
  slow.end(body)
  const [{ statusCode, headers }] = await answered
  t.equal(statusCode, 303)

  const written = /^session=([^;]+)/.exec(headers['set-cookie']?.[0] ?? '')?.[1] as string
  const session = await world.opened(written)
  t.equal(session.get('first'), 'oldest')
  t.equal(session.get('tokens')?.refreshToken, (await world.newest()).refresh_token)

  visitor.plant('session', written)
  await world.advance(LIFE_MS + KEPT_MS)
  t.equal((await visitor.go('/orders')).status, 200)
  t.strictSame(await world.refreshes(), [null, null])
})

t.test('a grant that has ended ends the session, and is not requested again', async t => {
  const visitor = await ada()
  const copy = visitor.copy()
  await world.endGrant((await world.newest()).refresh_token)
  await world.advance(LIFE_MS)
  const { status, text, headers } = await visitor.go('/account')
  t.equal(status, 401)
  t.match(text, 'Your sign-in has ended')
  t.match(text, 'href="/login?return_to=%2Faccount"')
  t.match(headers.getSetCookie().join('\n'), /^session=;/m)
  t.notOk(visitor.cookies.has('session'))
  t.equal((await copy.go('/account')).status, 401)
  t.strictSame(await world.refreshes(), ['invalid_grant'])

  t.equal((await visitor.signIn('ada', '/orders')).status, 200, 'and one can sign in again')
})

t.test('an unavailable provider ends no session: the answer is 503, and it works again later', async t => {
  const visitor = await ada()
  const before = visitor.session
  await world.advance(LIFE_MS)
  await world.away(true)
  for (const path of ['/account', '/orders']) {
    const { status, headers, text } = await visitor.go(path)
    t.equal(status, 503)
    t.equal(headers.get('retry-after'), '5')
    t.strictSame(headers.getSetCookie(), [])
    t.match(text, `href="${path}">Try again`)
  }
  t.equal(visitor.session, before)
  t.equal((await visitor.go('/')).status, 200)

  await world.away(false)
  t.equal((await visitor.go('/orders')).status, 200)
  t.strictSame(await world.refreshes(), [null])
})

t.test('while the provider is unavailable, a token is used exactly until it expires', async t => {
  const visitor = await ada()
  await world.away(true)
  t.equal((await visitor.go('/orders')).status, 502, 'the API cannot ask about it')
  await world.advance(LIFE_MS - 5_000)
  for (const { status } of await Promise.all([visitor, visitor.copy(), visitor.copy()].map(tab => tab.go('/account')))) t.equal(status, 200)
  await world.advance(5_000)
  t.equal((await visitor.go('/account')).status, 503)
  await world.away(false)
})

t.test('a token that the API refuses early is refreshed, once for parallel requests', async t => {
  const visitor = await ada()
  await world.endAccessToken((await world.newest()).access_token)
  await world.hold()
  const tabs = Array.from({ length: 5 }, () => visitor.copy())
  const answers = Promise.all(tabs.map(tab => tab.go('/orders')))
  await world.untilWaiting(1)
  await world.release()
  for (const { status } of await answers) t.equal(status, 200)
  t.strictSame(await world.refreshes(), [null])
})

t.test('a provider that sends no new refresh token keeps the old one in use', async t => {
  const visitor = await ada()
  const { tokens: { accessToken: access, refreshToken: refresh } } = await world.heldBy(visitor)
  await world.leaveOutRefreshToken(true)
  await world.advance(LIFE_MS)
  t.equal((await visitor.go('/orders')).status, 200)
  await world.leaveOutRefreshToken(false)
  const after = await world.heldBy(visitor)
  t.not(after.tokens.accessToken, access)
  t.equal(after.tokens.refreshToken, refresh)
})
