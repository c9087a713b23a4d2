import t from 'tap'
import { memoryRevocation } from '../../lib/stores/revocation-memory'
import { OTHER_KEY } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { hasHeard, hearAll, siteWith, take, valueOf } from './subscribed'

const HASH = /^[\w-]{22}$/
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

const serializer = { serialize: (data: object) => JSON.stringify(data), deserialize: (bytes: Buffer) => JSON.parse(bytes.toString()) }

/** The token with one character changed. */
function changedAt (token: string, at: number): string {
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

t.test('a cookie that does not open is published as refused, with the reason', async t => {
  const clock = fakeClock(t)
  const site = await siteWith(t, { idle: '1h' })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const good = valueOf(visitor)
  const byOthers = async (options: object): Promise<string> => {
    const stranger = (await siteWith(t, options)).visitor()
    await stranger.json('/set/user/ada')
    return valueOf(stranger)
  }
  const cookies = {
    malformed: 'no such thing',
    'unknown-version': changedAt(good, 0),
    'unknown-key': await byOthers({ key: OTHER_KEY }),
    forged: changedAt(good, 80),
    unsupported: await byOthers({ serializer })
  }
  const heard = hearAll(t)
  const ask = async (value: string): Promise<unknown> => await (await fetch(`${site.origin}/get`, { headers: { cookie: `session=${value}` } })).json()
  for (const [reason, value] of Object.entries(cookies)) {
    t.strictSame(await ask(value), {})
    t.strictSame(take(heard), [{ event: 'refused', session: 'session', cookie: 'session', reason, id: null }], reason)
  }
  clock.advance(60 * MINUTE_MS)
  await ask(good)
  hasHeard(t, heard, [{ event: 'refused', reason: 'expired', id: null }])
  clock.advance(-62 * MINUTE_MS)
  await ask(good)
  hasHeard(t, heard, [{ event: 'refused', reason: 'from-the-future', id: null }])
})

t.test('each refused cookie of a name is published, and a valid one among them is published as opened', async t => {
  const site = await siteWith(t)
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const good = valueOf(visitor)
  const heard = hearAll(t)
  const cookie = `session=AQEA; session=${good}; session=${changedAt(good, 80)}`
  t.strictSame(await (await fetch(`${site.origin}/get`, { headers: { cookie } })).json(), { user: 'ada' })
  hasHeard(t, heard, [{ event: 'refused', reason: 'malformed' }, { event: 'refused', reason: 'forged' }, { event: 'opened' }])
})

t.test('without revocation, a bad cookie of a request that does not access the session is not published', async t => {
  const site = await siteWith(t)
  const heard = hearAll(t)
  await fetch(`${site.origin}/untouched`, { headers: { cookie: 'session=junk' } })
  t.strictSame(heard, [])
})

t.test('a copy of a revoked session is published as refused, also if the handler does not access it', async t => {
  const site = await siteWith(t, { revocation: { store: memoryRevocation() } })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const thief = visitor.thief()
  const another = visitor.thief()
  const heard = hearAll(t)
  await visitor.json('/get')
  await visitor.json('/delete')
  const [opened] = take(heard)
  t.strictSame(await thief.json('/get'), {})
  t.strictSame(take(heard), [{ event: 'refused', session: 'session', cookie: 'session', reason: 'revoked', id: opened?.['id'] }])
  t.match(opened?.['id'], HASH)
  await another.json('/untouched')
  hasHeard(t, heard, [{ event: 'refused', reason: 'revoked', id: opened?.['id'] }])
})

t.test('a session that another server revoked is published as refused when this server asks the store', async t => {
  const clock = fakeClock(t)
  const store = memoryRevocation()
  const here = await siteWith(t, { revocation: { store, recheck: '1m' } })
  const there = await siteWith(t, { revocation: { store, recheck: '1m' } })
  const visitor = here.visitor()
  await visitor.json('/set/user/ada')
  const copy = visitor.at(there.origin)
  await copy.json('/delete')
  const heard = hearAll(t)
  t.strictSame(await visitor.json('/get'), { user: 'ada' })
  hasHeard(t, heard, [{ event: 'opened', check: null }], 'trusted within recheck')
  clock.advance(MINUTE_MS)
  t.strictSame(await visitor.json('/get'), {})
  hasHeard(t, heard, [{ event: 'refused', reason: 'revoked' }])
})

t.test('a token that is refused outside a request is published as refused', async t => {
  const site = await siteWith(t, { revocation: { store: memoryRevocation() } })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const token = valueOf(visitor)
  await visitor.json('/delete')
  const heard = hearAll(t)
  t.equal(site.app.decodeSecureSession('AQEA'), null)
  hasHeard(t, heard, [{ event: 'refused', reason: 'malformed', id: null }])
  t.equal(await site.app.secureSession.decode(token), null)
  hasHeard(t, heard, [{ event: 'refused', reason: 'revoked', id: HASH }])
})

t.test('a stamp that does not open is not published as refused', async t => {
  const clock = fakeClock(t)
  const site = await siteWith(t)
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  clock.advance(DAY_MS / 2)
  const heard = hearAll(t)
  const cookie = `${visitor.cookie()}; session.t=${'A'.repeat(99)}`
  t.strictSame(await (await fetch(`${site.origin}/get`, { headers: { cookie } })).json(), { user: 'ada' })
  hasHeard(t, heard, [{ event: 'opened' }, { event: 'renewed', isRenewed: true }])
})
