import t from 'tap'
import { Operator, RING, writeEveryState } from './operator'

t.test('prune removes expired keys, and keeps revoked keys so that they can be looked up', async t => {
  const operator = new Operator(t)
  const { expired, ...others } = writeEveryState(operator)
  const out = await operator.do('prune', ...RING)
  t.match(out, new RegExp(`^Removed: ${expired.id}\\.\nkey `))
  for (const { id } of Object.values(others)) t.match(out, `\n${id}  `)
  t.strictSame(operator.ring().map(({ id }) => id), Object.values(others).map(({ id }) => id))
})

t.test('prune --revoked removes revoked keys, too', async t => {
  const operator = new Operator(t)
  const { expired, revoked } = writeEveryState(operator)
  t.match(await operator.do('prune', ...RING, '--revoked'), new RegExp(`^Removed: ${expired.id}, ${revoked.id}\\.\n`))
})

t.test('prune says so if there is nothing to remove', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  t.match(await operator.do('prune', ...RING), /^Removed: no key\.\n/)
  t.equal(operator.ring().length, 1)
})

t.test('prune prints the keys that stay, also revoked keys', async t => {
  const operator = new Operator(t)
  const { retired } = writeEveryState(operator)
  await operator.do('revoke', retired.id, ...RING)
  t.match(await operator.do('prune', ...RING), `\n${retired.id}  revoked `)
})

t.test('prune --json prints the ids', async t => {
  const operator = new Operator(t)
  const { expired, revoked } = writeEveryState(operator)
  t.same(await operator.ask('prune', ...RING), { removed: [expired.id], revokedLeft: [revoked.id] })
})
