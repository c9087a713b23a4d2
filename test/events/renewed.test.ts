import t from 'tap'
import { memoryRevocation } from '../../lib/stores/revocation-memory'
import { fakeClock } from '../helpers/clock'
import { hasHeard, hearAll, siteWith, take } from './subscribed'

const MINUTE_MS = 60_000

t.test('a session that is used after a quarter of idle is published as renewed', async t => {
  const clock = fakeClock(t)
  const site = await siteWith(t, { idle: '1h' })
  const visitor = site.visitor()
  const heard = hearAll(t)
  await visitor.json('/set/user/ada')
  const id = take(heard)[0]?.['id']
  clock.advance(15 * MINUTE_MS - 1)
  await visitor.json('/get')
  hasHeard(t, heard, [{ event: 'opened', id }], 'not yet')
  clock.advance(1)
  await visitor.json('/get')
  t.strictSame(take(heard), [
    { event: 'opened', session: 'session', cookie: 'session', id, check: null },
    { event: 'renewed', session: 'session', id, isRenewed: true, isChecked: false }
  ])
  await visitor.json('/get')
  hasHeard(t, heard, [{ event: 'opened' }], 'and then it is not due again')
})

t.test('a stamp that is written after a check is published with isChecked, with or without a renewal', async t => {
  const clock = fakeClock(t)
  const site = await siteWith(t, { idle: '1h', revocation: { store: memoryRevocation(), recheck: '1m' } })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  clock.advance(MINUTE_MS)
  await visitor.json('/get')
  hasHeard(t, heard, [{ event: 'opened', check: 'good' }, { event: 'renewed', isRenewed: false, isChecked: true }])
  await visitor.json('/get')
  hasHeard(t, heard, [{ event: 'opened', check: null }])
  clock.advance(20 * MINUTE_MS)
  await visitor.json('/get')
  hasHeard(t, heard, [{ event: 'opened', check: 'good' }, { event: 'renewed', isRenewed: true, isChecked: true }])
})

t.test('a change together with a check publishes `sealed` and, for the check alone, `renewed`', async t => {
  const clock = fakeClock(t)
  const site = await siteWith(t, { idle: '1h', revocation: { store: memoryRevocation(), recheck: '1m' } })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  clock.advance(20 * MINUTE_MS)
  const heard = hearAll(t)
  await visitor.json('/set/user/grace')
  t.equal(new Set(heard.map(({ id }) => id)).size, 1)
  hasHeard(t, heard, [
    { event: 'opened', check: 'good' },
    { event: 'sealed', isNew: false },
    { event: 'renewed', isRenewed: false, isChecked: true }
  ])
})

t.test('if every request asks the store, no stamp is written, and only the `opened` event has the check', async t => {
  const site = await siteWith(t, { revocation: { store: memoryRevocation(), recheck: 0 } })
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const heard = hearAll(t)
  await visitor.json('/get')
  await visitor.json('/get')
  hasHeard(t, heard, [{ event: 'opened', check: 'good' }, { event: 'opened', check: 'good' }])
})
