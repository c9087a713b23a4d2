import t from 'tap'
import { keyThatSeals } from '../../lib/keyring/lifecycle'
import { DAY_MS } from '../../lib/time'
import { Operator, RING, writeEveryState } from './operator'

t.test('revoke of the sealing key makes a new key that seals', async t => {
  const operator = new Operator(t)
  const { id } = await operator.ask<{ id: string }>('init', ...RING)
  operator.nowMs += DAY_MS
  const out = await operator.do('revoke', id, ...RING)
  const [old, added] = operator.ring()
  t.equal(old?.revokedAtMs, operator.nowMs)
  t.equal(keyThatSeals(operator.ring(), operator.nowMs).id, added?.id)
  t.equal(out, `Revoked key ${id}: its sessions no longer open.
key       state    created   seals from  until       opens until
${id}  revoked  24 h ago  24 h ago    10 min ago  0 s ago
${added?.id}  active   0 s ago   10 min ago  no end      no end
`)
})

t.test('revoke of the sealing key activates a pending key, because the servers know it already', async t => {
  const operator = new Operator(t)
  const { active, pending } = writeEveryState(operator)
  t.match(await operator.do('revoke', active.id, ...RING), `\n${pending.id}  active `)
  t.equal(operator.ring().length, 5)
})

t.test('revoke of a key that does not seal keeps the sealing key', async t => {
  const operator = new Operator(t)
  const { active, retired } = writeEveryState(operator)
  t.match(await operator.do('revoke', retired.id, ...RING), `\n${active.id}  active `)
})

t.test('revoke of a revoked key changes nothing', async t => {
  const operator = new Operator(t)
  const { revoked } = writeEveryState(operator)
  const before = operator.ring()
  t.match(await operator.do('revoke', revoked.id, ...RING), new RegExp(`^Key ${revoked.id} was already revoked\\.\nkey [^]*\n${revoked.id} .* 2025-11-21\n`))
  t.same(operator.ring(), before)
})

t.test('revoke accepts an id in capitals', async t => {
  const operator = new Operator(t)
  const { retired } = writeEveryState(operator)
  await operator.do('revoke', retired.id.toUpperCase(), ...RING)
  t.ok(operator.ring().some(({ id, revokedAtMs }) => id === retired.id && revokedAtMs === operator.nowMs))
})

t.test('revoke --json prints what was done, and which key seals', async t => {
  const operator = new Operator(t)
  const { active, pending } = writeEveryState(operator)
  const told = { id: active.id, revokedAt: '2026-03-01T12:00:00.000Z', seals: pending.id }
  t.same(await operator.ask('revoke', active.id, ...RING), { ...told, wasRevoked: false })
  operator.nowMs += 1000
  t.same(await operator.ask('revoke', active.id, ...RING), { ...told, wasRevoked: true })
})

t.test('revoke of an id that is not in the keyring is one line', async t => {
  const operator = new Operator(t)
  writeEveryState(operator)
  t.match(await operator.run('revoke', '00000000', ...RING), { status: 1, out: '', err: /^fastify-sealed-session: keyring file .* has no key 00000000\n$/ })
})

t.test('revoke of a value that is not an id is wrong use', async t => {
  const operator = new Operator(t)
  const { active } = writeEveryState(operator)
  for (const id of ['1234', 'nothexxx', active.id.slice(0, 7), `${active.id}0`, active.material.toString('base64url').replace(/^-/, '_')]) {
    t.match(await operator.run('revoke', id, ...RING), { status: 2, out: '', err: /8 hex digits/ })
  }
})
