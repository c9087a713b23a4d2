import t from 'tap'
import { Operator, RING, writeEveryState } from './operator'

t.test('prune removes what has expired, and leaves what is revoked to be looked up', async t => {
  const operator = new Operator(t)
  const { expired, ...others } = writeEveryState(operator)
  t.equal(await operator.do('prune', ...RING), `Removed 1 key: ${expired.id}.\n1 key that is revoked stayed; --revoked removes it too.\n`)
  t.strictSame(operator.ring().map(({ id }) => id), Object.values(others).map(({ id }) => id))
})

t.test('--revoked removes these as well', async t => {
  const operator = new Operator(t)
  const { expired, revoked } = writeEveryState(operator)
  t.equal(await operator.do('prune', ...RING, '--revoked'), `Removed 2 keys: ${expired.id}, ${revoked.id}.\n`)
})

t.test('where there is nothing to remove, it says so', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  t.equal(await operator.do('prune', ...RING), 'Removed no key.\n')
  t.equal(operator.ring().length, 1)
})

t.test('several revoked keys that stay are counted', async t => {
  const operator = new Operator(t)
  const { retired } = writeEveryState(operator)
  await operator.do('revoke', retired.id, ...RING)
  t.match(await operator.do('prune', ...RING), /\n2 keys that are revoked stayed; --revoked removes them too\.\n$/)
})

t.test('with --json it says the ids', async t => {
  const operator = new Operator(t)
  const { expired, revoked } = writeEveryState(operator)
  t.same(await operator.ask('prune', ...RING), { removed: [expired.id], revokedLeft: [revoked.id] })
})
