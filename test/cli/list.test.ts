import { chmodSync } from 'node:fs'
import t from 'tap'
import { DAY_MS } from '../../lib/time'
import { FILE, Operator, RING, writeEveryState } from './operator'

t.test('list prints the states of the keys, when they change, and a timeline', async t => {
  const operator = new Operator(t)
  const { expired, revoked, retired, active, pending } = writeEveryState(operator)
  t.equal(await operator.do('list', ...RING), `key       state    created     seals from  until       opens until
${expired.id}  expired  2025-08-13  2025-08-13  2025-10-13  2026-02-09
${revoked.id}  revoked  2025-10-12  2025-10-13  2025-11-21  2025-11-21
${retired.id}  retired  2025-11-21  2025-11-21  2026-02-09  2026-05-10
${active.id}  active   2026-02-08  2026-02-09  in 6 h      2026-05-30
${pending.id}  pending  0 s ago     in 6 h      no end      no end

now                                                    v
${expired.id}  ###############===========================----------------------------
${revoked.id}                .########xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
${retired.id}                         ###################=====================-------
${active.id}                                            ####=====================---
${pending.id}                                               .########################
          2025-08-13                                                  2026-06-14
          . pending  # active  = retired  - expired  x revoked
`)
})

t.test('list prints plain ASCII in at most 80 columns', async t => {
  const operator = new Operator(t)
  writeEveryState(operator)
  const out = await operator.do('list', ...RING)
  t.match(out, /^[\n -~]*$/)
  for (const line of out.split('\n')) t.ok(line.length <= 80, `${line.length}: ${line}`)
})

t.test('a new keyring has one key, which fills the timeline', async t => {
  const operator = new Operator(t)
  const { id } = await operator.ask<{ id: string }>('init', ...RING)
  const out = await operator.do('list', ...RING)
  t.match(out, new RegExp(`\n${id}  active  0 s ago  0 s ago     no end  no end\n`))
  t.match(out, new RegExp(`\nnow {7}v\n${id}  #{70}\n`))
})

t.test('the mark for now is in the period of the current state, however short it is', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  operator.nowMs += 300 * DAY_MS
  await operator.do('rotate', ...RING)
  const rows = (await operator.do('list', ...RING)).split('\n')
  const at = rows.findIndex(row => row.startsWith('now '))
  const column = rows[at]?.indexOf('v') as number
  t.equal(rows[at + 1]?.[column], '#')
  t.equal(rows[at + 2]?.[column], '.')
  t.equal(rows[at + 2]?.[column + 1], '#')
})

t.test('past periods are not drawn beyond now', async t => {
  const operator = new Operator(t)
  operator.write(operator.key(1, { activates: -100, expires: 50 }), operator.key(2, { created: -0.001, activates: -0.0005, expires: 90 }), operator.key(3, { activates: 0 }))
  t.match((await operator.do('list', ...RING)).split('\n').slice(-6, -3).join('\n'), /^\w+ +#+=+-+\n\w+ +=+-+\n\w+ +#+$/)
})

t.test('list prints times near now in a suitable unit, and other times as dates', async t => {
  const operator = new Operator(t)
  const ages: ReadonlyArray<readonly [number, string]> = [
    [59_000, '59 s ago'], [61_000, '1 min ago'], [3_599_000, '59 min ago'], [3_600_000, '1 h ago'],
    [47.9 * 3_600_000, '47 h ago'], [48 * 3_600_000, '2026-03-01']
  ]
  await operator.do('init', ...RING)
  const startMs = operator.nowMs
  for (const [ms, text] of ages) {
    operator.nowMs = startMs + ms
    t.match(await operator.do('list', ...RING), new RegExp(` active {2}${text} +${text} +no end`))
  }
})

t.test('a key that was revoked before it became active never sealed', async t => {
  const operator = new Operator(t)
  operator.write(operator.key(1, { activates: -10 }), operator.key(2, { created: -5, activates: 5, revoked: -2 }))
  t.match(await operator.do('list', ...RING), /revoked {2}2026-02-24 {2}never {7}never {3}2026-02-27\n[^]*\n\w+ +\.+x+\n/)
  t.match(await operator.ask('list', ...RING), { keys: [{ state: 'active', sealsUntil: null }, { state: 'revoked', sealsFrom: null, sealsUntil: null, opensUntil: '2026-02-27T12:00:00.000Z' }] })
})

t.test('a key sealed until the next one did, also if the next one was revoked later', async t => {
  const operator = new Operator(t)
  operator.write(operator.key(1, { activates: -30, expires: 50 }), operator.key(2, { activates: -20, revoked: -10 }), operator.key(3, { activates: -10 }))
  t.match(await operator.ask('list', ...RING), {
    keys: [
      { state: 'retired', sealsFrom: '2026-01-30T12:00:00.000Z', sealsUntil: '2026-02-09T12:00:00.000Z', opensUntil: '2026-04-20T12:00:00.000Z' },
      { state: 'revoked', sealsFrom: '2026-02-09T12:00:00.000Z', sealsUntil: '2026-02-19T12:00:00.000Z', revokedAt: '2026-02-19T12:00:00.000Z' },
      { state: 'active', sealsFrom: '2026-02-19T12:00:00.000Z' }
    ]
  })
})

t.test('a key that was dated by a clock that is ahead seals in spite of its date', async t => {
  const operator = new Operator(t)
  operator.write(operator.key(1, { activates: 1 }))
  t.match(await operator.ask('list', ...RING), { now: '2026-03-01T12:00:00.000Z', keys: [{ state: 'active', sealsFrom: '2026-03-01T12:00:00.000Z', createdAt: '2026-03-02T12:00:00.000Z' }] })
  t.match(await operator.do('list', ...RING), 'active')
})

t.test('a key may have a date in the future', async t => {
  const operator = new Operator(t)
  operator.write(operator.key(1, { activates: -1 }), operator.key(2, { created: 3, activates: 3 }))
  t.match(await operator.do('list', ...RING), /pending {2}2026-03-04 {2}2026-03-04/)
})

t.test('list --others-may-read accepts a file that other users may read', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  chmodSync(operator.path(FILE), 0o644)
  t.match(await operator.run('list', ...RING), { status: 1, err: /--others-may-read\n$/ })
  t.match(await operator.do('list', ...RING, '--others-may-read'), 'active')
})
