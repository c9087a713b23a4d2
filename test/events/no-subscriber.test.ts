import { channel } from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import { sodium } from '../../lib/core/sodium'
import { memoryRevocation } from '../../lib/stores/revocation-memory'
import { fakeClock } from '../helpers/clock'
import { hearAll, siteWith, take, type Site } from './subscribed'

const HOUR_MS = 3_600_000
const NAMES = ['opened', 'refused', 'sealed', 'renewed', 'revoked']

/** Counts the hashes until the test ends: an id is hashed for a message, and without revocation for nothing else. */
function countHashes (t: Test): { hashes: number } {
  const count = { hashes: 0 }
  const hash = sodium.crypto_generichash
  sodium.crypto_generichash = (...args) => { count.hashes++; hash(...args) }
  t.teardown(() => { sodium.crypto_generichash = hash })
  return count
}

/** Gives every event but `revoked`. */
async function visit (site: Site, clock: { advance (ms: number): void }): Promise<void> {
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  clock.advance(8 * HOUR_MS)
  await visitor.json('/get')
  await fetch(`${site.origin}/get`, { headers: { cookie: 'session=junk' } })
}

t.test('without a subscriber no event is created, so no id is hashed for it', async t => {
  const clock = fakeClock(t)
  const site = await siteWith(t)
  const count = countHashes(t)
  await visit(site, clock)
  t.equal(count.hashes, 0)

  const heard = hearAll(t)
  await visit(site, clock)
  t.strictSame(take(heard).map(({ event }) => event), ['sealed', 'opened', 'renewed', 'refused'])
  t.equal(count.hashes, 3, 'while all but what did not open has an id')
})

t.test('without a subscriber the id of a refused session is not hashed again', async t => {
  const site = await siteWith(t, { revocation: { store: memoryRevocation() } })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const thief = visitor.thief()
  await visitor.json('/delete')
  const count = countHashes(t)
  await thief.thief().json('/get')
  t.equal(count.hashes, 0)
  hearAll(t)
  await thief.json('/get')
  t.equal(count.hashes, 1)
})

t.test('after the last subscriber was removed, events cost nothing', async t => {
  const clock = fakeClock(t)
  const site = await siteWith(t)
  await t.test('while it listens', async t => {
    hearAll(t)
    t.ok(NAMES.every(name => channel(`fastify-sealed-session:${name}`).hasSubscribers))
  })
  t.notOk(NAMES.some(name => channel(`fastify-sealed-session:${name}`).hasSubscribers))
  const count = countHashes(t)
  await visit(site, clock)
  t.equal(count.hashes, 0)
})
