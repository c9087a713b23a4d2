import t from 'tap'
import { hasHeard, hearAll, siteWith, take, valueOf } from './subscribed'

const HASH = /^[\w-]{22}$/

t.test('a session that is written is published as sealed, with the length of its token', async t => {
  const site = await siteWith(t)
  const visitor = site.visitor()
  const heard = hearAll(t)
  await visitor.json('/set/user/ada')
  t.strictSame(Object.keys(heard[0] as object).sort(), ['event', 'id', 'isNew', 'length', 'session'])
  const id = heard[0]?.['id']
  hasHeard(t, heard, [{ event: 'sealed', session: 'session', id: HASH, length: valueOf(visitor).length, isNew: true }])
  await visitor.json('/set/name/augusta')
  t.strictSame(heard, [
    { event: 'opened', session: 'session', cookie: 'session', id, check: null },
    { event: 'sealed', session: 'session', id, length: valueOf(visitor).length, isNew: false }
  ])
})

t.test('a login is published as a new session with a new id', async t => {
  const site = await siteWith(t)
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  await visitor.json('/regenerate?keep=user')
  t.not(heard[0]?.['id'], heard[1]?.['id'])
  hasHeard(t, heard, [{ event: 'opened' }, { event: 'sealed', isNew: true }])
})

t.test('a session that is only read, or ended, is not published as sealed', async t => {
  const site = await siteWith(t)
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  await visitor.json('/get')
  hasHeard(t, heard, [{ event: 'opened' }])
  await visitor.json('/delete')
  await visitor.json('/delete')
  hasHeard(t, heard, [{ event: 'opened' }], 'the second time there is no cookie any more')
})

t.test('a session that is touched is published as sealed', async t => {
  const site = await siteWith(t)
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  await visitor.json('/touch')
  hasHeard(t, heard, [{ event: 'opened' }, { event: 'sealed', isNew: false }])
})

t.test('a session that is too large is not published as sealed, and the request fails', async t => {
  const site = await siteWith(t, {}, app => {
    app.get('/fill', async ({ session }) => { session.set('big', 'x'.repeat(5000)); return {} })
  })
  const heard = hearAll(t)
  t.equal((await site.visitor().send('/fill')).status, 500)
  t.strictSame(heard, [])
})

t.test('events of several named sessions have their names and different ids', async t => {
  const site = await siteWith(t, [{}, { sessionName: 'cart', cookieName: 'basket' }], app => {
    app.get('/both', async (request: any) => { request.session.set('a', 1); request.cart.set('b', 2); return {} })
    app.get('/cart', async (request: any) => request.cart.data())
  })
  const visitor = site.visitor()
  const heard = hearAll(t)
  await visitor.json('/both')
  const [session, cart] = take(heard)
  t.match(session, { event: 'sealed', session: 'session', length: valueOf(visitor).length, isNew: true })
  t.match(cart, { event: 'sealed', session: 'cart', length: valueOf(visitor, 'basket').length, isNew: true })
  t.not(session?.['id'], cart?.['id'])
  await visitor.json('/cart')
  t.strictSame(take(heard), [{ event: 'opened', session: 'cart', cookie: 'basket', id: cart?.['id'], check: null }])
})

t.test('a session that is committed early, and again, is published as sealed once', async t => {
  const site = await siteWith(t, {}, app => {
    app.get('/early', async ({ session }, reply) => {
      session.set('user', 'ada')
      reply.commitSession()
      return { lines: reply.commitSession().length }
    })
  })
  const heard = hearAll(t)
  t.strictSame(await site.visitor().json('/early'), { lines: 1 })
  hasHeard(t, heard, [{ event: 'sealed' }])
})

t.test('a token that is made outside a request is not published', async t => {
  const { app } = await siteWith(t)
  const heard = hearAll(t)
  const token = app.encodeSecureSession(app.createSecureSession({ user: 'ada' }))
  t.not(app.decodeSecureSession(token), null)
  t.strictSame(heard, [])
})

t.test('a session that was written, and then could not be for the reply to an error, is not published', async t => {
  const site = await siteWith(t, [{}, { sessionName: 'cart', cookieName: 'basket' }], app => {
    app.get('/both', async (request: any) => {
      request.session.set('user', 'ada')
      request.cart.set('big', 'x'.repeat(5000))
      return {}
    })
    app.setErrorHandler(async (_error, { session }) => { session.set('big', 'x'.repeat(5000)); return {} })
  })
  const heard = hearAll(t)
  const response = await site.visitor().send('/both')
  t.equal(response.headers.get('set-cookie'), null)
  t.strictSame(heard, [])
})
