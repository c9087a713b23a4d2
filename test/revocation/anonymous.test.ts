import t, { type Test } from 'tap'
import secureSession from '../../index'
import { OTHER_KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { away, CountingStore } from './stores'
import { appOfUsers, loggedIn, subject, userIn, type Revocation } from './users'

/** What strangers, who never log in, can do to the store: sessions without a subject are ended for this browser only. */

const SECOND_MS = 1000
const ENDINGS = ['/logout', '/revoke', '/empty', '/keep-cart']

async function shop (t: Test, revocation: Revocation, options: Partial<secureSession.SessionOptions> = {}): Promise<TestApp> {
  const app = await appOfUsers(t, revocation, options)
  app.get('/cart', async ({ session }) => { session.set('cart', ['book']); return {} })
  app.get('/empty', async ({ session }) => { session.regenerate(); return {} })
  app.get('/keep-cart', async ({ session }) => { session.regenerate(['cart']); return {} })
  app.get('/seen', async ({ session }) => session.data())
  app.get('/log-in/:user', async ({ session, params }) => { session.set('user', (params as { user: string }).user); return {} })
  app.get('/log-out', async ({ session }) => { session.unset('user'); return {} })
  return app
}

async function strangerIn (app: TestApp): Promise<Browser> {
  const stranger = new Browser(app)
  await stranger.get('/cart')
  return stranger
}

t.test('anonymous clients that fill a cart and log out in a loop end no user\'s session', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation({ max: 10 })
  const app = await shop(t, { store, recheck: 0 })
  const before = await loggedIn(app, 'ada')
  for (const ending of ENDINGS) {
    for (let request = 0; request < 30; request++) {
      clock.advance(SECOND_MS)
      await (await strangerIn(app)).get(ending)
    }
  }
  const after = await loggedIn(app, 'grace')
  clock.advance(SECOND_MS)
  t.strictSame([await userIn(before), await userIn(after), store.size], ['ada', 'grace', 0])
})

t.test('users who log in and out in a loop end no session that begins later', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation({ max: 10 })
  const app = await shop(t, { store, recheck: 0 })
  for (let request = 0; request < 30; request++) {
    clock.advance(SECOND_MS)
    await (await loggedIn(app, 'mallory')).get('/logout')
  }
  clock.advance(SECOND_MS)
  const after = await loggedIn(app, 'grace')
  for (let request = 0; request < 10; request++) {
    clock.advance(SECOND_MS)
    await (await loggedIn(app, 'mallory')).get('/logout')
    t.equal(await userIn(after), 'grace')
  }
})

t.test('the end of an anonymous session is not written to the store, and does not wait for it', async t => {
  const store = new CountingStore()
  const app = await shop(t, { store })
  for (const ending of ENDINGS) {
    const stranger = await strangerIn(app)
    store.instead = away
    t.equal((await stranger.get(ending)).statusCode, 200, ending)
    store.instead = null
    t.strictSame(await stranger.json('/seen'), ending === '/keep-cart' ? { cart: ['book'] } : {}, 'in this browser it is over')
  }
  t.equal(store.raised, 0)
})

t.test('a copy of an anonymous session opens with its values and without a user, also after a login', async t => {
  const app = await shop(t, { recheck: 0 })
  for (const ending of [...ENDINGS, '/login/ada', '/log-in/ada']) {
    const stranger = await strangerIn(app)
    const copy = stranger.copy()
    await stranger.get(ending)
    t.strictSame(await copy.json('/seen'), { cart: ['book'] }, ending)
    if (!ending.includes('ada')) continue
    t.equal(await userIn(stranger), 'ada')
    const user = stranger.copy()
    await stranger.get('/logout')
    t.equal(await userIn(user), null, 'the one that logged in is ended')
    t.strictSame(await copy.json('/seen'), { cart: ['book'] })
  }
})

t.test('an anonymous session can be revoked by its id', async t => {
  const app = await shop(t, { recheck: 0 })
  const stranger = await strangerIn(app)
  const copy = stranger.copy()
  await app.secureSession.revoke((await stranger.json('/info')).id)
  t.strictSame(await copy.json('/seen'), {})
})

t.test('a session is anonymous if neither the sealed hash nor its values name a subject', async t => {
  const sealers: ReadonlyArray<[what: string, sealedBy: Partial<secureSession.SessionOptions>, path: string, writes: number]> = [
    ['nobody, sealed as nobody', { subject }, '/cart', 0],
    ['a user, sealed as that', { subject }, '/login/ada', 1],
    ['a user, sealed as nobody by a server that has another "subject"', { subject: () => undefined }, '/login/ada', 1],
    ['nobody, sealed as a user by a server that has another "subject"', { subject: () => 'ada' }, '/cart', 1],
    ['nobody, sealed by a server without "subject"', { subject: undefined } as never, '/cart', 1]
  ]
  for (const [what, options, path, writes] of sealers) {
    const store = new CountingStore()
    const [there, here] = [await shop(t, {}, options), await shop(t, { store, recheck: 0 })]
    const browser = new Browser(there)
    await browser.get(path)
    await browser.copy(here).get('/logout')
    t.equal(store.raised, writes, what)
  }
})

t.test('without the option "subject", the end of every session is written to the store', async t => {
  const store = new CountingStore()
  const app = await shop(t, { store, recheck: 0 }, { subject: undefined } as never)
  for (const ending of ENDINGS) {
    const stranger = await strangerIn(app)
    const copy = stranger.copy()
    await stranger.get(ending)
    t.strictSame(await copy.json('/seen'), {}, ending)
  }
  t.equal(store.raised, ENDINGS.length)
})

t.test('where an app has no option "subject", an anonymous session of another that has it is ended in the store', async t => {
  const store = new CountingStore()
  const knowing = await shop(t, { store })
  const unknowing = await shop(t, { store, recheck: 0 }, { subject: undefined } as never)
  for (const ending of ENDINGS) {
    const stranger = (await strangerIn(knowing)).copy(unknowing)
    const copy = stranger.copy()
    t.equal((await stranger.get(ending)).statusCode, 200, ending)
    t.strictSame(await copy.json('/seen'), {}, ending)
  }
  t.equal(store.raised, ENDINGS.length)
})

t.test('changes of this request do not decide whether the session was anonymous, with any serializer', async t => {
  let reads = 0
  const serializer: secureSession.Serializer = {
    serialize: data => JSON.stringify(data),
    deserialize (bytes) {
      if (++reads === readable) throw new Error('unreadable')
      return JSON.parse(bytes.toString())
    }
  }
  let readable = Infinity
  const store = new CountingStore()
  for (const options of [{}, { serializer }, { key: OTHER_KEY, serializer }]) {
    const app = await shop(t, { store, recheck: 0 }, options)
    app.get('/log-in-and-out', async ({ session }) => { session.set('user', 'ada'); session.delete(); return {} })
    for (const path of ['/log-in-and-out', '/log-in/ada']) await (await strangerIn(app)).get(path)
    t.equal(store.raised, 0)
  }
  const app = await shop(t, { store, recheck: 0 }, { serializer })
  const stranger = await strangerIn(app)
  readable = reads + 2
  await stranger.get('/logout')
  t.equal(store.raised, 0, 'nor where the serializer reads a session once only')
})
