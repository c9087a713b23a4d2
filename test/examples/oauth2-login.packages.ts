import { createHash } from 'node:crypto'
import t from 'tap'
import type { Visitor } from './oauth2-visitor'
import { World } from './oauth2-world'

/** Signing in to the site of examples/oauth at a real provider, over HTTP. */

let world: World
t.before(async () => { world = await World.start(t) })

const ATTEMPT = ['sign-in', 'sign-in-state', 'sign-in-verifier']

t.test('a private page answers 401 until a user signs in, and then shows the API data of this user alone', async t => {
  const visitor = world.visitor()
  const stranger = await visitor.go('/orders')
  t.equal(stranger.status, 401)
  t.match(stranger.text, 'href="/login?return_to=%2Forders"')
  t.equal(visitor.cookies.size, 0)

  const { url, status, text } = await visitor.signIn('ada', '/orders')
  t.equal(url, `${world.site}/orders`)
  t.equal(status, 200)
  t.match(text, 'Hello Ada Lovelace')
  t.match(text, 'A-1843')
  t.notMatch(text, 'G-1947')
})

t.test('the API refuses a call without a token, with another kind of token, or with a forged one', async t => {
  const visitor = world.visitor()
  await visitor.signIn('ada')
  const { tokens: { accessToken: access, refreshToken: refresh } } = await world.heldBy(visitor)
  const status = async (authorization: string) => (await fetch(`${world.api}/orders`, { headers: { authorization } })).status
  t.equal((await fetch(`${world.api}/orders`)).status, 401)
  for (const wrong of ['', 'Bearer ', 'Bearer made-up', `Bearer ${refresh}`, `Basic ${access}`]) t.equal(await status(wrong), 401)
  t.equal(await status(`Bearer ${access}`), 200)
})

t.test('the request to the provider has PKCE with S256, a new state and nonce, and names the API', async t => {
  const visitor = world.visitor()
  const asked = async () => new URL((await visitor.ask('/login')).headers.get('location') as string)
  const { origin, searchParams } = await asked()
  t.equal(origin, world.issuer)
  t.equal(searchParams.get('response_type'), 'code')
  t.equal(searchParams.get('redirect_uri'), `${world.site}/login/callback`)
  t.equal(searchParams.get('resource'), world.api)
  t.equal(searchParams.get('code_challenge_method'), 'S256')
  t.equal(searchParams.get('code_challenge'), createHash('sha256').update(visitor.valueOf('sign-in-verifier')).digest('base64url'))
  t.equal(searchParams.get('state'), visitor.valueOf('sign-in-state'))
  t.match(searchParams.get('nonce'), /^[\w-]{22}$/)

  const again = (await asked()).searchParams
  for (const name of ['state', 'nonce', 'code_challenge']) t.not(again.get(name), searchParams.get(name), name)
})

t.test('the cookies of a pending sign-in are HttpOnly, Lax and short-lived, and cleared when it is done', async t => {
  const visitor = world.visitor()
  await visitor.ask('/login')
  t.strictSame([...visitor.cookies.keys()].sort(), ATTEMPT)
  for (const [name, { line }] of visitor.cookies) {
    for (const attribute of ['HttpOnly', 'SameSite=Lax', 'Path=/']) t.match(line, `; ${attribute}`, name)
    if (name !== 'sign-in') t.match(line, '; Max-Age=600', name)
  }
  await visitor.signIn('ada')
  t.strictSame([...visitor.cookies.keys()], ['session'])
  t.match(visitor.cookies.get('session')?.line, 'HttpOnly')
})

t.test('signing in makes a new session with another id, and revokes the tokens of the session before', async t => {
  const visitor = world.visitor()
  const page = await visitor.signIn('grace', '/orders')
  await visitor.submit(page, '/orders/first')
  const before = await world.opened(visitor.session)
  t.equal(before.get('first'), 'oldest')

  visitor.jars.delete('localhost')
  await visitor.signIn('ada')
  const after = await world.opened(visitor.session)
  t.not(after.info.id, before.info.id)
  t.strictSame(after.get('user'), { id: 'ada', name: 'Ada Lovelace' })
  t.strictSame(Object.keys(after.data()).sort(), ['csrf', 'tokens', 'user'])
  t.not(after.get('csrf'), before.get('csrf'))
  t.equal(await world.isGood('RefreshToken', before.get('tokens')?.refreshToken as string), false)
  t.equal(await world.isGood('RefreshToken', after.get('tokens')?.refreshToken as string), true)
})

t.test('no token reaches the browser in any byte of the site, from sign-in over refresh to sign-out', async t => {
  const visitor = world.visitor()
  await visitor.signIn('ada', '/orders')
  const cookies = [visitor.session]
  const { tokens } = await world.heldBy(visitor)
  const page = await visitor.submit(await visitor.go('/orders'), '/orders/first')
  cookies.push(visitor.session)
  await world.advance(60_000)
  await visitor.go('/account')
  cookies.push(visitor.session)
  const refreshed = (await world.heldBy(visitor)).tokens
  await visitor.submit(page, '/logout')

  t.not(refreshed.accessToken, tokens.accessToken)
  t.equal(new Set(cookies).size, 3)
  const secrets = (await world.issued()).flatMap(({ access_token: access, refresh_token: refresh, id_token: id }) => [access, refresh, id])
  for (const held of [tokens, refreshed]) t.ok(secrets.includes(held.accessToken) && secrets.includes(held.refreshToken), 'the sessions hold real ones')
  const everything = [...visitor.seen, ...visitor.trail, ...cookies].join('\n')
  const bytes = Buffer.concat(cookies.map(cookie => Buffer.from(cookie, 'base64url')))
  t.ok(everything.includes('A-1843'), 'the pages are among what is searched')
  for (const secret of secrets) {
    t.notOk(everything.includes(secret), 'not as it is')
    t.notOk(bytes.includes(secret) || bytes.includes(Buffer.from(secret, 'base64url')), 'nor decoded')
  }
})

t.test('after signing in the user returns to the requested page, and to no other site', async t => {
  const visitor = world.visitor()
  const cameTo = async (returnTo: string) => (await visitor.signIn('ada', returnTo)).url
  t.equal(await cameTo('/orders?x=1'), `${world.site}/orders?x=1`)
  t.equal((await visitor.signIn('ada', '/.//elsewhere.example')).url, `${world.site}//elsewhere.example`, 'a page of this site, odd as it is')
  for (const hostile of [
    'https://elsewhere.example/', '//elsewhere.example', '/\\elsewhere.example', '\\\\elsewhere.example', '/\t/elsewhere.example', '\n//elsewhere.example',
    ' //elsewhere.example', 'javascript:alert(1)', 'orders', '', '/login', '/login/callback?code=1', '/logout', '//', 'http://127.0.0.1:1/'
  ]) {
    t.equal(await cameTo(hostile), `${world.site}/account`, JSON.stringify(hostile))
  }
  t.equal((await visitor.go(`/login?return_to=${'x'.repeat(2000)}`)).status, 400)
  t.equal((await visitor.go('/login?return_to=/orders&return_to=/account')).status, 400)
})

t.test('every page of the OAuth example, also an error page, has security headers and shows no stack', async t => {
  const visitor = world.visitor()
  const guarded = async (page: Awaited<ReturnType<Visitor['go']>>, expected: number, formTarget: string) => {
    const { url, status, headers, text } = page
    t.equal(status, expected, url)
    t.match(headers.get('content-security-policy'), `default-src 'none'; style-src 'self'; form-action 'self' ${formTarget};`, url)
    t.match(headers.get('content-security-policy'), "frame-ancestors 'none'", url)
    t.equal(headers.get('x-content-type-options'), 'nosniff', url)
    t.equal(headers.get('referrer-policy'), 'same-origin', url)
    t.notMatch(text, /\.js:\d/, url)
  }
  for (const [path, expected] of [
    ['/', 200], ['/style.css', 200], ['/signed-out', 200], ['/account', 401], ['/orders', 401], ['/logout', 404], ['/nowhere', 404], ['/%zz', 400],
    ['/login/callback', 400], ['/login/callback?state=a&state=b', 400]
  ] as const) await guarded(await visitor.go(path), expected, world.issuer)

  await guarded(await visitor.go('/login'), 200, world.site)
  await guarded(await visitor.go(`${world.issuer}/interaction/unknown`), 400, world.site)
  await guarded(await visitor.go(`${world.issuer}/auth?client_id=unknown`), 400, world.site)
  await guarded(await visitor.go(`${world.issuer}/session/end/success`), 200, world.site)
})
