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
  t.equal(out, `Revoked key ${id}. Sessions sealed with it are over.
Key ${added?.id} seals now: it is new.
Servers follow when they next read the ring, every 10 seconds by default.
`)
})

t.test('revoke of the sealing key activates a pending key, because the servers know it already', async t => {
  const operator = new Operator(t)
  const { active, pending } = writeEveryState(operator)
  t.match(await operator.do('revoke', active.id, ...RING), `Key ${pending.id} seals now: it was pending.`)
  t.equal(operator.ring().length, 5)
})

t.test('revoke of a key that does not seal keeps the sealing key', async t => {
  const operator = new Operator(t)
  const { active, retired } = writeEveryState(operator)
  t.match(await operator.do('revoke', retired.id, ...RING), `Key ${active.id} still seals.`)
})

t.test('revoke of a revoked key changes nothing', async t => {
  const operator = new Operator(t)
  const { revoked } = writeEveryState(operator)
  const before = operator.ring()
  t.equal(await operator.do('revoke', revoked.id, ...RING), `Key ${revoked.id} was revoked before, at 2025-11-21 12:00 UTC (100 days ago).\n`)
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
