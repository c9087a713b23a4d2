import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { memoryRevocation } from '../../lib/stores/revocation-memory'
import type { RevocationStore } from '../../types/revocation'
import { hasHeard, hearAll, siteWith, take, type Site } from './subscribed'

const HASH = /^[\w-]{22}$/
const revocable = { subject: (session: any) => session.get('user'), revocation: { store: memoryRevocation() } }

function addEndings (app: FastifyInstance): void {
  app.get('/revoke', async ({ session }) => { await session.revoke(); return {} })
  app.get('/revoke-others', async ({ session }) => { await session.revokeOthers(); return {} })
}

async function revocableSite (t: Test, options: object | readonly object[] = revocable): Promise<Site> {
  return await siteWith(t, options, addEndings)
}

for (const [how, path] of [['deleted', '/delete'], ['regenerated', '/regenerate'], ['revoked', '/revoke']] as const) {
  t.test(`a session that is ${how} is published as revoked by its id, once, and before its reply`, async t => {
    const site = await revocableSite(t)
    const visitor = site.visitor()
    await visitor.json('/set/user/ada')
    const heard = hearAll(t)
    await visitor.json(path)
    const [opened, revoked, ...others] = take(heard)
    t.strictSame(revoked, { event: 'revoked', session: 'session', by: 'id', id: opened?.['id'] })
    t.match(opened, { event: 'opened', id: HASH })
    t.not(others[0]?.['id'], opened?.['id'])
    hasHeard(t, others, how === 'regenerated' ? [{ event: 'sealed', isNew: true }] : [])
  })
}

t.test('a session that is revoked by secureSession.revoke is published as revoked by its id', async t => {
  const site = await revocableSite(t)
  const visitor = site.visitor()
  const heard = hearAll(t)
  await visitor.json('/set/user/ada')
  const { id } = await visitor.json('/info')
  const told = take(heard).map(({ id }) => id)
  await site.app.secureSession.revoke(id)
  t.strictSame(take(heard), [{ event: 'revoked', session: 'session', by: 'id', id: told[0] }])
  t.equal(new Set(told).size, 1)
})

t.test('a revoked subject is published by its hash, which is the same each time and unique', async t => {
  const site = await revocableSite(t)
  const heard = hearAll(t)
  for (const subject of ['ada', 'ada', 'grace']) await site.app.secureSession.revokeSubject(subject)
  const [first, second, other] = take(heard)
  t.match(first, { event: 'revoked', session: 'session', by: 'subject', id: HASH })
  t.strictSame(first, second)
  t.not(first?.['id'], other?.['id'])
})

t.test('revokeOthers publishes the hash of the subject, and this session gets a new id', async t => {
  const site = await revocableSite(t)
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  await site.app.secureSession.revokeSubject('someone else')
  await visitor.json('/revoke-others')
  const [, opened, revoked, sealed, ...rest] = take(heard)
  t.match(opened, { event: 'opened' })
  t.match(revoked, { event: 'revoked', session: 'session', by: 'others', id: HASH })
  t.match(sealed, { event: 'sealed', isNew: true })
  t.equal(new Set([opened, revoked, sealed].map(one => one?.['id'])).size, 3)
  t.strictSame(rest, [], 'its old id needs no cut-off of its own')
  await site.app.secureSession.revokeSubject('ada')
  hasHeard(t, heard, [{ by: 'subject', id: revoked?.['id'] }], 'the subject is one, whichever way it is ended')
})

t.test('events and the store use the same hash of a session or a subject', async t => {
  const memory = memoryRevocation()
  const raised: string[] = []
  const store: RevocationStore = {
    cutOffs: async keys => await memory.cutOffs(keys),
    async raise (key, ...rest) {
      raised.push(key)
      return await memory.raise(key, ...rest)
    }
  }
  const site = await revocableSite(t, { ...revocable, revocation: { store } })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  await visitor.json('/revoke-others')
  await visitor.json('/revoke')
  await site.app.secureSession.revokeSubject('ada')
  const told = heard.filter(({ event }) => event === 'revoked').map(({ id }) => id)
  t.equal(told.length, 3)
  for (const id of told) t.ok(raised.includes(id as string))
})

t.test('without a session name, the end is published for each session with revocation', async t => {
  const site = await revocableSite(t, [revocable, { sessionName: 'admin', ...revocable }, { sessionName: 'cart' }])
  const heard = hearAll(t)
  await site.app.secureSession.revoke('0'.repeat(32))
  t.strictSame(take(heard).map(({ session, by }) => `${session} ${by}`), ['session id', 'admin id'])
  await site.app.secureSession.revokeSubject('ada', 'admin')
  hasHeard(t, heard, [{ session: 'admin', by: 'subject' }])
})

t.test('an end that the store did not accept is not published', async t => {
  const store: RevocationStore = { cutOffs: async keys => keys.map(() => 0), raise: async () => { throw new Error('away') } }
  const site = await revocableSite(t, { ...revocable, revocation: { store, onError: 'allow' } })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  await t.rejects(site.app.secureSession.revokeSubject('ada'), { code: 'FST_SESSION_STORE_UNAVAILABLE' })
  t.equal((await visitor.send('/revoke')).status, 503)
  t.equal((await visitor.send('/delete')).status, 200, 'as the app said')
  t.strictSame(heard.filter(({ event }) => event === 'revoked'), [])
})

t.test('without revocation no `revoked` event is published', async t => {
  const site = await siteWith(t)
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  await visitor.json('/regenerate')
  await visitor.json('/delete')
  t.strictSame(heard.filter(({ event }) => event === 'revoked'), [])
})
