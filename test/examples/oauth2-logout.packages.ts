import t from 'tap'
import type { Visitor } from './oauth2-visitor'
import { World } from './oauth2-world'

/** Signing out: here, of the tokens, and of the provider. */

const LIFE_MS = 60_000

let world: World
t.before(async () => { world = await World.start(t) })
t.beforeEach(async () => { await world.reset() })

async function ada (): Promise<Visitor> {
  const visitor = world.visitor()
  await visitor.signIn('ada')
  return visitor
}

async function areGood ({ tokens }: { tokens: { accessToken: string, refreshToken: string } }): Promise<boolean[]> {
  return [await world.isGood('AccessToken', tokens.accessToken), await world.isGood('RefreshToken', tokens.refreshToken)]
}

t.test('signing out clears the cookies, revokes the tokens, and visits the provider', async t => {
  const visitor = await ada()
  const held = await world.heldBy(visitor)
  t.strictSame(await areGood(held), [true, true])

  const page = await visitor.go('/account')
  const asked = await visitor.submit(page, '/logout')
  const url = new URL(asked.url)
  t.equal(url.origin, world.issuer)
  t.equal(url.searchParams.get('client_id'), 'shop')
  t.equal(url.searchParams.get('post_logout_redirect_uri'), `${world.site}/signed-out`)
  t.notOk(url.searchParams.has('id_token_hint'))
  t.equal(visitor.cookies.size, 0)
  t.strictSame(await areGood(held), [false, false])

  const done = await visitor.submit(asked, '/session/end/confirm', { logout: 'yes' })
  t.equal(done.url, `${world.site}/signed-out`)
  t.equal(done.status, 200)
  t.equal((await visitor.go('/account')).status, 401)
  t.match((await visitor.go('/login')).text, 'name="password"', 'the provider asks who it is')
})

t.test('a user who stays signed in at the provider is not asked for the password again', async t => {
  const visitor = await ada()
  const asked = await visitor.submit(await visitor.go('/account'), '/logout')
  t.equal((await visitor.submit(asked, '/session/end/confirm')).url, `${world.site}/signed-out`)
  t.notMatch((await visitor.go('/login')).text, 'name="password"')
})

t.test('a user who is signed out at the provider already can sign out at the site', async t => {
  const visitor = await ada()
  visitor.jars.delete('localhost')
  const asked = await visitor.submit(await visitor.go('/account'), '/logout')
  const done = await visitor.submit(asked, '/session/end/confirm')
  t.equal(done.url, `${world.site}/signed-out`)
})

t.test('only a form of this session signs out: no link, and no form of another site', async t => {
  const visitor = await ada()
  const before = visitor.session
  const { csrf } = await world.heldBy(visitor)
  t.equal((await visitor.go('/logout')).status, 404)
  const post = (fields: Record<string, string>, headers: Record<string, string> = {}) => visitor.go('/logout', { method: 'POST', body: new URLSearchParams(fields), headers })
  t.equal((await post({})).status, 403)
  t.equal((await post({ csrf: 'made-up' })).status, 403)
  for (const site of ['cross-site', 'same-site']) t.equal((await post({ csrf }, { 'sec-fetch-site': site })).status, 403, site)
  t.equal((await post({ csrf }, { origin: world.issuer })).status, 403)
  t.equal(visitor.session, before)
  t.equal((await visitor.go('/orders')).status, 200)
})

t.test('a copied cookie calls no API after the sign-out, and opens no page after token expiry', async t => {
  const visitor = await ada()
  const copies = [visitor.copy(), visitor.copy()] as const
  await visitor.submit(await visitor.go('/account'), '/logout')
  t.equal((await copies[0].go('/account')).status, 200, 'until then it does: a server without a store cannot know better')
  t.equal((await copies[0].go('/orders')).status, 401)
  t.notOk(copies[0].cookies.has('session'))

  await world.advance(LIFE_MS)
  t.equal((await copies[1].go('/account')).status, 401)
})

t.test('signing out with a cookie from before a refresh revokes the tokens of that refresh', async t => {
  const late = await ada()
  const form = await late.go('/account')
  const visitor = late.copy()
  await world.advance(LIFE_MS)
  await visitor.go('/account')
  const held = await world.heldBy(visitor)
  t.strictSame(await areGood(held), [true, true])
  await late.submit(form, '/logout')
  t.equal((await world.revoked()).at(-1), held.tokens.refreshToken)
  t.strictSame(await areGood(held), [false, false])
})

t.test('an unavailable provider does not prevent a sign-out', async t => {
  const visitor = await ada()
  const form = await visitor.go('/account')
  await world.away(true)
  const { url, status } = await visitor.submit(form, '/logout')
  await world.away(false)
  t.equal(url, `${world.site}/signed-out`)
  t.equal(status, 200)
  t.equal(visitor.cookies.size, 0)
  t.match((await world.logged()).join(''), 'revocation at the provider: no answer')
})
