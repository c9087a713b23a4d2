import t from 'tap'
import { fakeClock } from '../helpers/clock'
import { sealedOpener } from '../../lib/legacy/sealed'
import { memoryRevocation } from '../../lib/stores/revocation-memory'
import type { RevocationStore } from '../../types/revocation'
import { hasHeard, hear, hearAll, siteWith, take } from './subscribed'

const HASH = /^[\w-]{22}$/
const MINUTE_MS = 60_000

t.test('a session that a request accesses is published as opened, with its id', async t => {
  const site = await siteWith(t)
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  await visitor.json('/get')
  t.strictSame(Object.keys(heard[0] as object).sort(), ['check', 'cookie', 'event', 'id', 'session'])
  hasHeard(t, heard, [{ event: 'opened', session: 'session', cookie: 'session', id: HASH, check: null }])
})

t.test('a session is published as opened once per request, for any number of reads', async t => {
  const site = await siteWith(t, {}, app => {
    app.get('/often', async request => {
      await new Promise(resolve => { setImmediate(resolve) })
      return [request.session.get('user'), request.session.has('user'), request.session.data(), request.session.info.isNew]
    })
  })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  await visitor.json('/often')
  t.strictSame(heard.map(({ event }) => event), ['opened'])
  await visitor.json('/often')
  t.strictSame(heard.map(({ event }) => event), ['opened', 'opened'], 'and once more with the next request')
})

t.test('no `opened` event is published if the request does not access its session, or has none', async t => {
  const site = await siteWith(t)
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  await visitor.json('/untouched')
  t.strictSame(take(heard), [])
  await site.visitor().json('/get')
  t.strictSame(take(heard), [], 'read by a stranger')
  await site.visitor().json('/set/user/grace')
  hasHeard(t, heard, [{ event: 'sealed' }], 'begun by a stranger')
})

t.test('a session that only the plugin checks is not published as opened', async t => {
  const clock = fakeClock(t)
  const site = await siteWith(t, { revocation: { store: memoryRevocation(), recheck: '1m' } })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  clock.advance(MINUTE_MS)
  const heard = hearAll(t)
  await visitor.json('/untouched')
  hasHeard(t, heard, [{ event: 'renewed', isChecked: true, isRenewed: false }])
})

t.test('the `opened` event says whether the store was asked, and whether it was unavailable', async t => {
  const clock = fakeClock(t)
  const memory = memoryRevocation()
  let isAway = false
  const store: RevocationStore = {
    raise: async (...args) => await memory.raise(...args),
    async cutOffs (keys) {
      if (isAway) throw new Error('away')
      return await memory.cutOffs(keys)
    }
  }
  const site = await siteWith(t, { revocation: { store, recheck: '1m', onError: 'allow' } })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const checks: unknown[] = []
  hear(t, 'fastify-sealed-session:opened', ({ check }) => { checks.push(check) })
  await visitor.json('/get')
  clock.advance(MINUTE_MS)
  await visitor.json('/get')
  await visitor.json('/get')
  isAway = true
  clock.advance(MINUTE_MS)
  await visitor.json('/get')
  t.strictSame(checks, [null, 'good', null, 'unchecked'])
})

t.test('while the store is unavailable and sessions are refused, none is published as opened', async t => {
  const store: RevocationStore = { raise: async () => 0, cutOffs: async () => { throw new Error('away') } }
  const site = await siteWith(t, { revocation: { store, recheck: 0 } })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  t.equal((await visitor.send('/get')).status, 503)
  t.strictSame(heard, [])
})

t.test('a session in a legacy cookie is published as opened, and has the same id after its migration', async t => {
  const before = await siteWith(t, { cookieName: 'old' })
  const visitor = before.visitor()
  await visitor.json('/set/user/ada')
  const site = await siteWith(t, { legacy: [sealedOpener({ cookieName: 'old' })] })
  const heard = hearAll(t)
  const moving = visitor.at(site.origin)
  t.strictSame(await moving.json('/get'), { user: 'ada' })
  await moving.json('/set/a/b')
  await moving.json('/get')
  t.equal(new Set(heard.map(({ id }) => id)).size, 1)
  hasHeard(t, heard, [{ event: 'opened', cookie: 'old' }, { event: 'opened', cookie: 'old' }, { event: 'sealed', isNew: false }, { event: 'opened', cookie: 'session' }])
})
