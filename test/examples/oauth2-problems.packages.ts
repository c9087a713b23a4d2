import t, { type Test } from 'tap'
import type { Visitor } from './oauth2-visitor'
import { World } from './oauth2-world'

/** Sign-ins that do not succeed: each gives a page, and leaves the session that was there as it was. */

let world: World
t.before(async () => { world = await World.start(t) })

async function ada (): Promise<Visitor> {
  const visitor = world.visitor()
  await visitor.signIn('ada')
  return visitor
}

/** A visitor who is signed in, and whose session must come out of it unharmed. */
async function unharmed (t: Test, work: (visitor: Visitor) => Promise<void>): Promise<void> {
  const visitor = await ada()
  const before = visitor.session
  await work(visitor)
  t.equal(visitor.session, before)
  t.equal((await visitor.go('/orders')).status, 200)
}

/** The callback's URL with other parameters; null removes one. */
function changed (url: string, changes: Record<string, string | null>): string {
  const other = new URL(url)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) other.searchParams.delete(name)
    else other.searchParams.set(name, value)
  }
  return other.href
}

t.test('a user who cancels, at either page of the provider, sees a page that says so', async t => {
  await unharmed(t, async visitor => {
    const consent = await visitor.go('/login?return_to=/orders')
    const { status, text } = await visitor.submit(consent, '/cancel')
    t.equal(status, 403)
    t.match(text, 'You did not sign in')
    t.match(text, 'href="/login">Sign in</a></p>')
    t.strictSame([...visitor.cookies.keys()], ['session'], 'and the attempt is over')
  })
  const stranger = world.visitor()
  t.equal((await stranger.submit(await stranger.go('/login'), '/cancel')).status, 403)
  t.equal((await stranger.go('/account')).status, 401)
})

t.test('a wrong password stays at the provider, and repeated attempts are delayed', async t => {
  const visitor = world.visitor()
  const page = await visitor.go('/login')
  for (let attempt = 1; attempt <= 5; attempt++) t.equal((await visitor.submit(page, '/login', { username: 'mallory', password: 'guess' })).status, 401)
  t.equal((await visitor.submit(page, '/login', { username: 'mallory', password: 'another' })).status, 429)
  t.equal((await visitor.submit(page, '/login', { username: 'ada', password: world.person('ada').password })).status, 200)
})

t.test('a callback with another state, or none, is refused, and does not end the pending sign-in', async t => {
  await unharmed(t, async visitor => {
    const callback = await visitor.callbackFor('ada')
    for (const state of [null, '', 'made-up']) {
      const { status, text } = await visitor.go(changed(callback, { state }))
      t.equal(status, 400)
      t.match(text, 'This sign-in cannot be finished')
      t.notOk(text.includes(new URL(callback).searchParams.get('code') as string), 'and the page does not say its code')
    }
    t.equal((await visitor.go(changed(callback, { state: 'made-up', code: null, error: 'access_denied' }))).status, 400)
  })
  const visitor = world.visitor()
  const callback = await visitor.callbackFor('ada')
  t.equal((await visitor.go(changed(callback, { state: 'made-up' }))).status, 400)
  t.equal((await visitor.go(callback)).status, 200, 'it can still be finished')
})

t.test('a callback works once', async t => {
  const visitor = world.visitor()
  const callback = await visitor.callbackFor('ada')
  const former = visitor.copy()
  t.equal((await visitor.go(callback)).status, 200)
  await unharmed(t, async other => { t.equal((await other.go(callback)).status, 400) })
  t.equal((await former.go(callback)).status, 400, 'also with the cookies of before: the code is spent')
})

t.test('the callback of another sign-in signs no user in, with any part of it planted', async t => {
  const attacker = world.visitor()
  const callback = await attacker.callbackFor('grace')
  const { searchParams } = new URL(callback)
  const state = searchParams.get('state') as string

  await unharmed(t, async victim => {
    t.equal((await victim.go(callback)).status, 400)
    victim.plant('sign-in-state', state)
    t.equal((await victim.go(callback)).status, 400, 'the state alone does not do')
  })
  const victim = world.visitor()
  const own = await victim.callbackFor('ada')
  t.equal((await victim.go(changed(own, { code: searchParams.get('code') }))).status, 400, 'a code belongs to its PKCE verifier')
  t.equal((await victim.go('/account')).status, 401)
})

t.test('an ID token that was made for another attempt is refused by its nonce', async t => {
  const visitor = world.visitor()
  await visitor.ask('/login')
  const former = visitor.valueOf('sign-in')
  const callback = await visitor.callbackFor('ada')
  visitor.plant('sign-in', former)
  const { status, text } = await visitor.go(callback)
  t.equal(status, 502)
  t.match(text, 'The sign-in did not work')
  t.notOk(visitor.cookies.has('session'))
  t.match((await world.logged()).join(''), 'the ID token has not the nonce it should have')
})

t.test('a callback that names another issuer is refused before its code is used', async t => {
  await unharmed(t, async visitor => {
    const callback = await visitor.callbackFor('ada')
    t.equal(new URL(callback).searchParams.get('iss'), world.issuer)
    t.equal((await visitor.go(changed(callback, { iss: 'https://elsewhere.example' }))).status, 502)
  })
})

t.test('an error or an outage of the provider at the code exchange is reported differently from a cancel', async t => {
  for (const [error, expected] of [['server_error', 503], ['temporarily_unavailable', 503], ['invalid_scope', 502], ['x'.repeat(500), 502]] as const) {
    await unharmed(t, async visitor => {
      const callback = await visitor.callbackFor('ada')
      t.equal((await visitor.go(changed(callback, { code: null, error }))).status, expected, error.slice(0, 30))
    })
  }
  await unharmed(t, async visitor => {
    const callback = await visitor.callbackFor('ada')
    await world.away(true)
    const { status, text } = await visitor.go(callback)
    await world.away(false)
    t.equal(status, 503)
    t.match(text, 'href="/">Go to the start page')
  })
})

t.test('no failed sign-in puts a token or a secret into the log', async t => {
  const visitor = await ada()
  await world.away(true)
  await world.advance(60_000)
  t.equal((await visitor.go('/orders')).status, 503)
  await world.away(false)
  await visitor.go('/orders')

  const log = (await world.logged()).join('')
  t.match(log, 'refresh at the provider: no answer')
  for (const issued of await world.issued()) {
    for (const name of ['access_token', 'refresh_token', 'id_token'] as const) t.notOk(log.includes(issued[name]), name)
  }
  t.notMatch(log, /authorization"?:/i)
  t.notMatch(log, /client_secret|Basic /)
})
