import t from 'tap'
import { memoryRevocation } from '../../lib/stores/revocation-memory'
import { fakeClock } from '../helpers/clock'
import { hasHeard, hearAll, siteWith, take } from './subscribed'

const HOUR_MS = 3_600_000

t.test('a session has the same id in all events, from its beginning until a copy is refused', async t => {
  const clock = fakeClock(t)
  const site = await siteWith(t, { revocation: { store: memoryRevocation(), recheck: '1h' } })
  const visitor = site.visitor()
  const heard = hearAll(t)
  await visitor.json('/set/user/ada')
  clock.advance(8 * HOUR_MS)
  await visitor.json('/set/user/grace')
  clock.advance(8 * HOUR_MS)
  await visitor.json('/get')
  const thief = visitor.thief()
  await visitor.json('/delete')
  await thief.json('/get')
  t.equal(new Set(heard.map(({ id }) => id)).size, 1)
  hasHeard(t, heard, [
    { event: 'sealed', isNew: true },
    { event: 'opened', check: 'good' },
    { event: 'sealed', isNew: false },
    { event: 'renewed', isChecked: true },
    { event: 'opened', check: 'good' },
    { event: 'renewed', isChecked: true, isRenewed: true },
    { event: 'opened', check: null },
    { event: 'revoked', by: 'id' },
    { event: 'refused', reason: 'revoked' }
  ])
})

t.test('other sessions, and a later login of the same user, have other ids in events', async t => {
  const site = await siteWith(t)
  const heard = hearAll(t)
  for (const user of ['ada', 'ada', 'grace']) await site.visitor().json(`/set/user/${user}`)
  t.equal(new Set(take(heard).map(({ id }) => id)).size, 3)
})

t.test('a session has the same id in the events of every server', async t => {
  const here = await siteWith(t)
  const there = await siteWith(t)
  const visitor = here.visitor()
  const heard = hearAll(t)
  await visitor.json('/set/user/ada')
  await visitor.at(there.origin).json('/get')
  t.equal(heard[0]?.['id'], heard[1]?.['id'])
  hasHeard(t, heard, [{ event: 'sealed' }, { event: 'opened' }])
})
