import t from 'tap'
import { Recent } from '../../lib/recent'
import { cutOffBy, endIn, isOver } from '../../lib/revocation/bearer'
import { Dates } from '../../lib/revocation/dates'
import { hashOfSubject, keyOf, keyOfId } from '../../lib/revocation/keys'
import { Memory } from '../../lib/revocation/memory'
import { CLOCK_SKEW_MS } from '../../lib/time'
import { ADA, bearer, ID, START_MS } from './world'

t.test('without a cut-off, createdAt is the current time', async t => {
  t.equal(new Dates(() => START_MS).ofLogin(START_MS - 5, 0), START_MS - 5)
})

t.test('createdAt is later than each cut-off that this process made', async t => {
  const dates = new Dates(() => START_MS)
  t.equal(dates.cutOffUpTo(0), START_MS)
  t.equal(dates.ofLogin(START_MS, 0), START_MS + 1)
  t.equal(dates.cutOffUpTo(START_MS + 500), START_MS + 500, 'up to that time')
  t.equal(dates.cutOffUpTo(START_MS - 500), START_MS, 'and up to now')
  t.equal(dates.ofLogin(START_MS, 0), START_MS + 501, 'the latest of them counts')
  t.equal(dates.ofLogin(START_MS + 502, 0), START_MS + 502)
  const sooner = new Dates(() => START_MS)
  t.equal(await sooner.cutOffBeforeNow(), START_MS - 1)
  t.equal(sooner.ofLogin(START_MS - 5, 0), START_MS)
})

t.test('createdAt is later than a cut-off of another machine, and never so late that it would be refused', async t => {
  const dates = new Dates(() => START_MS)
  t.equal(dates.ofLogin(START_MS, START_MS + 30_000), START_MS + 30_001)
  t.equal(dates.ofLogin(START_MS, START_MS + CLOCK_SKEW_MS), START_MS + CLOCK_SKEW_MS)
  t.equal(dates.ofLogin(START_MS, START_MS + 2 * CLOCK_SKEW_MS), START_MS + CLOCK_SKEW_MS)
})

t.test('a cut-off before now waits until all issued sessions are before it, for a limited time', async t => {
  let nowMs = START_MS
  const dates = new Dates(() => nowMs++)
  const issuedAtMs = dates.ofLogin(START_MS + 3, 0)
  t.ok(await dates.cutOffBeforeNow() >= issuedAtMs)
  const still = new Dates(() => START_MS)
  still.ofLogin(START_MS, 0)
  t.equal(await still.cutOffBeforeNow(), START_MS - 1)
})

t.test('the last bit of a cut-off says how the session ended, and the cut-off is never before the end', async t => {
  const cutOffs = [[START_MS, START_MS, START_MS + 1], [START_MS + 1, START_MS + 2, START_MS + 1]] as const
  for (const [atMs, over, replaced] of cutOffs) {
    t.equal(cutOffBy('over', atMs), over)
    t.equal(cutOffBy('replaced', atMs), replaced)
    for (const end of ['over', 'replaced'] as const) t.equal(endIn(cutOffBy(end, atMs)), end)
  }
})

t.test('a cut-off ends what was created up to it, and 0 ends nothing', async t => {
  t.equal(isOver({ createdAtMs: 5 }, [5]), true)
  t.equal(isOver({ createdAtMs: 5 }, [4]), false)
  t.equal(isOver({ createdAtMs: 5 }, [0, 6]), true)
  t.equal(isOver({ createdAtMs: 0 }, [1]), true, 'where nobody knows when it began, any')
  t.equal(isOver({ createdAtMs: 0 }, [0, 0]), false)
  t.equal(isOver({ createdAtMs: 0 }, []), false)
})

t.test('a smaller cut-off never replaces a larger one', async t => {
  const memory = new Memory()
  const session = bearer({ createdAtMs: 100 })
  t.equal(memory.endOf(session), null)
  memory.cutOff(ADA, 99, 1)
  t.equal(memory.endOf(session), null)
  memory.cutOff(ADA, 100, 1)
  t.equal(memory.endOf(session), 'over')
  for (const smaller of [99, 0]) memory.cutOff(ADA, smaller, 2)
  t.equal(memory.endOf(session), 'over')
  t.equal(memory.endOf(bearer({ createdAtMs: 101 })), null)
  t.equal(memory.endOf(bearer({ createdAtMs: 100, subjectKeys: ['grace'] })), null)
  t.equal(memory.endOf(bearer({ createdAtMs: 100, subjectKeys: ['grace', ADA] })), 'over', 'by either of its keys')
})

t.test('a session without a date is ended by any cut-off, and is valid without one', async t => {
  const memory = new Memory()
  const undated = bearer({ createdAtMs: 0 })
  memory.cutOff(ADA, 0, 1)
  t.equal(memory.endOf(undated), null)
  memory.cutOff(ADA, 1, 1)
  t.equal(memory.endOf(undated), 'over')
})

t.test('the cache keeps how a session ended, and when the last entry was dropped', async t => {
  const memory = new Memory()
  t.equal(memory.checkedAtMs(ID), 0)
  memory.checked(ID, 7)
  t.equal(memory.checkedAtMs(ID), 7)
  memory.end(ID, 'replaced', 50)
  for (let other = 1; other < 20_000; other++) memory.end(`other ${other}`, 'over', 60)
  t.equal(memory.endOf(bearer()), 'replaced')
  t.equal(memory.forgottenAtMs, 0)
  memory.end('one too many', 'over', 60)
  t.equal(memory.endOf(bearer()), null)
  t.equal(memory.forgottenAtMs, 50)
  memory.cutOff(ADA, START_MS, 40)
  for (let other = 0; other < 20_000; other++) memory.cutOff(`other ${other}`, START_MS, 70)
  t.equal(memory.endOf(bearer()), null)
  t.equal(memory.forgottenAtMs, 50, 'the later of both')
  memory.cutOff('one too many', START_MS, 70)
  t.equal(memory.forgottenAtMs, 70, 'a cut-off as well as an end')
})

t.test('the oldest entry of the bounded map is dropped, and returned', async t => {
  const recent = new Recent<number>(2)
  t.equal(recent.set('a', 1), undefined)
  t.equal(recent.set('b', 2), undefined)
  t.equal(recent.set('a', 3), undefined, 'what is set again takes no room, and is recent again')
  t.equal(recent.set('c', 4), 2)
  t.strictSame(['a', 'b', 'c'].map(name => recent.get(name)), [3, undefined, 4])
})

t.test('a key belongs to one use, and the key of a subject to one session name', async t => {
  const ofSubject = (sessionName: string, subject: string): string => keyOf(hashOfSubject(sessionName, subject))
  t.equal(ofSubject('session', 'ada'), ADA)
  t.not(ofSubject('admin', 'ada'), ADA)
  t.not(ofSubject('session', 'grace'), ADA)
  t.not(ofSubject('sessiona', 'da'), ADA)
  t.not(keyOfId('session\0ada'), ADA)
  t.not(keyOfId('subject\0session\0ada'), ADA)
  t.not(keyOfId('ada'), ofSubject('id', 'ada'))
})
