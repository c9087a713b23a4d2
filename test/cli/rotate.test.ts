import { randomBytes } from 'node:crypto'
import t from 'tap'
import { run } from '../../lib/cli/run'
import { keyOf } from '../../lib/keyring/lifecycle'
import { schedule, stateAt } from '../../lib/keyring/schedule'
import { DAY_MS, MINUTE_MS } from '../../lib/time'
import { Operator, RING, writeEveryState } from './operator'

const HOUR_MS = 60 * MINUTE_MS

function statesOf (operator: Operator): string[] {
  return schedule(operator.ring()).map(key => stateAt(key, operator.nowMs))
}

t.test('rotate adds a key that seals in an hour; the old key seals until then, and opens for 90 days more', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  operator.nowMs += 30 * DAY_MS
  const out = await operator.do('rotate', ...RING)
  const [old, added] = operator.ring()
  t.equal(added?.activatesAtMs, operator.nowMs + HOUR_MS)
  t.equal(old?.expiresAtMs, operator.nowMs + HOUR_MS + 90 * DAY_MS)
  t.equal(out, `Added key ${added?.id}.
key       state    created     seals from  until   opens until
${old?.id}  active   2026-03-01  2026-03-01  in 1 h  2026-06-29
${added?.id}  pending  0 s ago     in 1 h      no end  no end
`)
  t.same(statesOf(operator), ['active', 'pending'])
  operator.nowMs += HOUR_MS
  t.same(statesOf(operator), ['retired', 'active'])
})

t.test('rotate --activate-in and --keep-for set other times', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  await operator.do('rotate', ...RING, '--activate-in', '2d', '--keep-for=400 days')
  const [old, added] = operator.ring()
  t.equal(added?.activatesAtMs, operator.nowMs + 2 * DAY_MS)
  t.equal(old?.expiresAtMs, operator.nowMs + 402 * DAY_MS)
})

t.test('rotate --now seals at once', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  operator.nowMs += DAY_MS
  const out = await operator.do('rotate', ...RING, '--now')
  const [old, added] = operator.ring()
  t.same(statesOf(operator), ['retired', 'active'])
  t.match(out, new RegExp(`^Added key ${added?.id}\\.\n.*\n${old?.id} {2}retired .* 2026-05-31\n${added?.id} {2}active .*\n$`))
})

t.test('a second rotation before the first took effect prints the order, and when the retired key expires', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  await operator.do('rotate', ...RING)
  const out = await operator.do('rotate', ...RING, '--activate-in', '5h')
  const [first, second, third] = operator.ring().map(({ id }) => id)
  t.match(out, new RegExp(`^Added key ${third}\\.\n.*\n${first} {2}active .*\n${second} {2}pending .* 2026-05-30\n${third} {2}pending .*\n$`))
})

t.test('if a rotation sets the expiry of several keys, each is printed', async t => {
  const operator = new Operator(t)
  const { active, pending } = writeEveryState(operator)
  const { former, added } = await operator.ask<{ former: Array<{ id: string }>, added: { id: string } }>('rotate', ...RING, '--activate-in', '7h', '--keep-for', '100d')
  t.same(former.map(({ id }) => id), [active.id, pending.id])
  const out = await operator.do('rotate', ...RING, '--activate-in', '8h', '--keep-for', '200d')
  for (const { id } of [active, pending, added]) t.match(out, new RegExp(`\n${id} .* 2026-09-17\n`))
  t.equal(out.split('\n').filter(line => line.endsWith('2026-09-17')).length, 3)
})

t.test('rotate of a keyring of thousands of keys takes less than a second', async t => {
  const operator = new Operator(t)
  const keys = Array.from({ length: 3000 }, (_, index) => keyOf(randomBytes(32), operator.nowMs - index * MINUTE_MS))
  operator.write(...new Map(keys.map(key => [key.id, key])).values())
  // Not by the clock, since other tests run at the same time.
  const start = process.cpuUsage()
  t.equal(await run(['rotate', ...RING], operator.io()), 0)
  const { user, system } = process.cpuUsage(start)
  t.ok(user + system < 1_000_000, `${user + system} µs`)
})

t.test('rotate --json prints the times of the new key, and which key seals', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  const told = await operator.ask('rotate', ...RING)
  const [old, added] = operator.ring()
  t.same(told, {
    added: { id: added?.id, state: 'pending', createdAt: '2026-03-01T12:00:00.000Z', sealsFrom: '2026-03-01T13:00:00.000Z', sealsUntil: null, opensUntil: null, revokedAt: null },
    seals: old?.id,
    former: [{ id: old?.id, opensUntil: '2026-05-30T13:00:00.000Z' }]
  })
})

t.test('parallel rotations each add their key', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  await Promise.all(Array.from({ length: 5 }, async () => await operator.do('rotate', ...RING)))
  t.equal(operator.ring().length, 6)
})

t.test('rotate without a keyring says how to make one', async t => {
  t.match(await new Operator(t).run('rotate', ...RING), { status: 1, out: '', err: /^fastify-sealed-session: keyring file .* does not exist: .*init"\n$/ })
})
