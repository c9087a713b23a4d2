import { chmodSync } from 'node:fs'
import t from 'tap'
import { DAY_MS } from '../../lib/time'
import { FILE, Operator, RING, writeEveryState } from './operator'

const ESCAPE = '\u001b'

function plain (text: string): string {
  return text.split(ESCAPE).map(part => part.replace(/^\[\d+m/, '')).join('')
}

t.test('list prints the states of the keys, when they change, and a timeline', async t => {
  const operator = new Operator(t)
  const { expired, revoked, retired, active, pending } = writeEveryState(operator)
  t.equal(await operator.do('list', ...RING), `5 keys, at 2026-03-01 12:00 UTC

key       state    created (age)          seals from  until       opens until
${expired.id}  expired  2025-08-13 (200 days)  2025-08-13  2025-10-13  2026-02-09
${revoked.id}  revoked  2025-10-12 (140 days)  2025-10-13  2025-11-21  2025-11-21
${retired.id}  retired  2025-11-21 (100 days)  2025-11-21  2026-02-09  2026-05-10
${active.id}  active   2026-02-08 (21 days)   2026-02-09  in 6 h      2026-05-30
${pending.id}  pending  2026-03-01 (0 s)       in 6 h      no end      no end

                                                       v now
${expired.id}  ##############===========================-----------------------------
${revoked.id}               .########xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
${retired.id}                        ###################=====================--------
${active.id}                                           .####====================----
${pending.id}                                               .########################
          2025-08-13                                                  2026-06-14

          . pending  # active  = retired  - expired  x revoked
`)
})

t.test('no line of list is longer than the width of the terminal', async t => {
  const operator = new Operator(t)
  writeEveryState(operator)
  for (const isTTY of [false, true]) {
    for (const columns of [40, 41, 46, 53, 54, 55, 57, 58, 60, 76, 80, 99, 100, 120, 300]) {
      operator.world = { columns, isTTY }
      for (const line of plain(await operator.do('list', ...RING)).split('\n')) t.ok(line.length <= columns, `${line.length} of ${columns}: ${line}`)
    }
  }
})

t.test('list prints times of day if there is room, and fewer columns if there is little', async t => {
  const operator = new Operator(t)
  const { expired, revoked, retired, active, pending } = writeEveryState(operator)
  operator.world = { columns: 120 }
  t.match(await operator.do('list', ...RING), /2026-02-09 12:00 {2}2026-03-01 18:00 {2}2026-05-30 18:00\n/)
  operator.world = { columns: 0 }
  t.match(await operator.do('list', ...RING), 'created (age)')
  operator.world = { columns: 60 }
  t.notMatch(await operator.do('list', ...RING), 'created')
  operator.world = { columns: 40 }
  t.match(await operator.do('list', ...RING), `
key       state    next change
${expired.id}  expired  none
${revoked.id}  revoked  none
${retired.id}  retired  2026-05-10: expired
${active.id}  active   in 6 h: retired
${pending.id}  pending  in 6 h: active
`)
  operator.world = { columns: 10 }
  t.match(await operator.do('list', ...RING), /\n {10}\. pending {2}# active\n {10}= retired {2}- expired\n {10}x revoked\n$/)
})

t.test('on a terminal, list uses colours and blocks with the same meaning', async t => {
  const operator = new Operator(t)
  writeEveryState(operator)
  const ascii = await operator.do('list', ...RING)
  operator.world = { isTTY: true }
  const coloured = await operator.do('list', ...RING)
  for (const mark of '░█▒·×▼') t.match(coloured, mark)
  t.match(coloured, ESCAPE)
  const translated = plain(coloured).replace(/[░█▒·×▼]/g, mark => '.#=-xv'['░█▒·×▼'.indexOf(mark)] as string)
  t.equal(translated.replace(/ +\n/g, '\n'), ascii)
})

t.test('with NO_COLOR, on a dumb terminal and without a terminal, list prints plain ASCII', async t => {
  const operator = new Operator(t)
  writeEveryState(operator)
  for (const [env, isTTY] of [[{ NO_COLOR: '1' }, true], [{ TERM: 'dumb' }, true], [{}, false]] as const) {
    operator.env = env
    operator.world = { isTTY }
    t.match(await operator.do('list', ...RING), /^[\n -~]*$/)
  }
  operator.env = { NO_COLOR: '' }
  operator.world = { isTTY: true }
  t.match(await operator.do('list', ...RING), ESCAPE)
})

t.test('a new keyring has one key, which fills the timeline', async t => {
  const operator = new Operator(t)
  const { id } = await operator.ask<{ id: string }>('init', ...RING)
  const out = await operator.do('list', ...RING)
  t.match(out, /^1 key, at/)
  t.match(out, new RegExp(`\n${id}  active  2026-03-01 12:00 \\(0 s\\)  2026-03-01 12:00  no end  no end\n`))
  t.match(out, new RegExp(`\n {10}v now\n${id}  #{70}\n`))
})

t.test('a very short period is drawn, and the mark for now is in the period of the current state', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  operator.nowMs += 300 * DAY_MS
  await operator.do('rotate', ...RING)
  const rows = (await operator.do('list', ...RING)).split('\n')
  const at = rows.findIndex(row => row.endsWith('v now'))
  const column = rows[at]?.indexOf('v') as number
  t.equal(rows[at + 1]?.[column], '#')
  t.equal(rows[at + 2]?.[column], '.')
  t.equal(rows[at + 2]?.[column + 1], '#')
})

t.test('periods that have ended are not drawn beyond now', async t => {
  const operator = new Operator(t)
  operator.write(operator.key(1, { activates: -100, expires: 50 }), operator.key(2, { created: -0.001, activates: -0.0005, expires: 90 }), operator.key(3, { activates: 0 }))
  t.match((await operator.do('list', ...RING)).split('\n').slice(-7, -3).join('\n'), /^\w+ +#+=+-+\n\w+ +=+-+\n\w+ +#+\n/)
})

t.test('if now is at the right edge, the word is before the mark', async t => {
  const operator = new Operator(t)
  operator.write(operator.key(1, { activates: -400 }))
  operator.world = { columns: 34 }
  t.match(await operator.do('list', ...RING), /\n {10} *now v\n/)
})

t.test('list prints ages in a suitable unit', async t => {
  const operator = new Operator(t)
  const ages: ReadonlyArray<readonly [number, string]> = [[59_000, '59 s'], [61_000, '1 min'], [3_500_000, '58 min'], [3_600_000, '1 h'], [47 * 3_600_000, '47 h'], [48 * 3_600_000, '2 days']]
  await operator.do('init', ...RING)
  const startMs = operator.nowMs
  operator.world = { columns: 100 }
  for (const [ms, text] of ages) {
    operator.nowMs = startMs + ms
    t.match(await operator.do('list', ...RING), `(${text})`)
  }
})

t.test('a key that was revoked before it became active never sealed', async t => {
  const operator = new Operator(t)
  operator.write(operator.key(1, { activates: -10 }), operator.key(2, { created: -5, activates: 5, revoked: -2 }))
  t.match(await operator.do('list', ...RING), /revoked {2}2026-02-24 \(5 days\) {3}never {15}2026-02-27\n[^]*\n\w+ +\.+x+\n/)
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

t.test('a key with a date in the future has no age, and the time until it', async t => {
  const operator = new Operator(t)
  operator.write(operator.key(1, { activates: -1 }), operator.key(2, { created: 3, activates: 3 }))
  t.match(await operator.do('list', ...RING), /pending {2}2026-03-04 \(in 3 days\)/)
})

t.test('list --others-may-read accepts a file that other users may read', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  chmodSync(operator.path(FILE), 0o644)
  t.match(await operator.run('list', ...RING), { status: 1, err: /--others-may-read\n$/ })
  t.match(await operator.do('list', ...RING, '--others-may-read'), 'active')
})
