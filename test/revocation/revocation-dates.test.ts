import t from 'tap'
import { BoundedMap } from '../../lib/bounded-map'
import { timeOfEnd, endIn, isRevoked } from '../../lib/revocation/session-ref'
import { IssueClock } from '../../lib/revocation/issue-clock'
import { hashOfSubject, keyOf, keyOfId } from '../../lib/revocation/keys'
import { RevocationCache } from '../../lib/revocation/revocation-cache'
import { CLOCK_SKEW_MS } from '../../lib/time'
import { ADA, sessionRef, ID, START_MS } from './world'

t.test('without a cut-off, createdAt is the current time', async t => {
  t.equal(new IssueClock(() => START_MS).createdAt(START_MS - 5, 0), START_MS - 5)
})

t.test('createdAt is later than each cut-off that this process made', async t => {
  const dates = new IssueClock(() => START_MS)
  t.equal(dates.revokeUpTo(0), START_MS)
  t.equal(dates.createdAt(START_MS, 0), START_MS + 1)
  t.equal(dates.revokeUpTo(START_MS + 500), START_MS + 500, 'up to that time')
  t.equal(dates.revokeUpTo(START_MS - 500), START_MS, 'and up to now')
  t.equal(dates.createdAt(START_MS, 0), START_MS + 501, 'the latest of them counts')
  t.equal(dates.createdAt(START_MS + 502, 0), START_MS + 502)
  const sooner = new IssueClock(() => START_MS)
  t.equal(await sooner.revokeBeforeNow(), START_MS - 1)
  t.equal(sooner.createdAt(START_MS - 5, 0), START_MS)
})

t.test('createdAt is later than a cut-off of another machine, and never so late that it would be refused', async t => {
  const dates = new IssueClock(() => START_MS)
  t.equal(dates.createdAt(START_MS, START_MS + 30_000), START_MS + 30_001)
  t.equal(dates.createdAt(START_MS, START_MS + CLOCK_SKEW_MS), START_MS + CLOCK_SKEW_MS)
  t.equal(dates.createdAt(START_MS, START_MS + 2 * CLOCK_SKEW_MS), START_MS + CLOCK_SKEW_MS)
})

t.test('a cut-off before now waits until all issued sessions are before it, for a limited time', async t => {
  let nowMs = START_MS
  const dates = new IssueClock(() => nowMs++)
  const issuedAtMs = dates.createdAt(START_MS + 3, 0)
  t.ok(await dates.revokeBeforeNow() >= issuedAtMs)
  const still = new IssueClock(() => START_MS)
  still.createdAt(START_MS, 0)
  t.equal(await still.revokeBeforeNow(), START_MS - 1)
})

t.test('the last bit of a cut-off says how the session was revoked, and the cut-off is never before the revocation', async t => {
  const cutOffs = [[START_MS, START_MS, START_MS + 1], [START_MS + 1, START_MS + 2, START_MS + 1]] as const
  for (const [atMs, over, replaced] of cutOffs) {
    t.equal(timeOfEnd('revoked', atMs), over)
    t.equal(timeOfEnd('replaced', atMs), replaced)
    for (const end of ['revoked', 'replaced'] as const) t.equal(endIn(timeOfEnd(end, atMs)), end)
  }
})

t.test('a cut-off revokes what was created up to it, and 0 revokes nothing', async t => {
  t.equal(isRevoked({ createdAtMs: 5 }, [5]), true)
  t.equal(isRevoked({ createdAtMs: 5 }, [4]), false)
  t.equal(isRevoked({ createdAtMs: 5 }, [0, 6]), true)
  t.equal(isRevoked({ createdAtMs: 0 }, [1]), true, 'where nobody knows when it began, any')
  t.equal(isRevoked({ createdAtMs: 0 }, [0, 0]), false)
  t.equal(isRevoked({ createdAtMs: 0 }, []), false)
})

t.test('a smaller cut-off never replaces a larger one', async t => {
  const memory = new RevocationCache()
  const session = sessionRef({ createdAtMs: 100 })
  t.equal(memory.endOf(session), null)
  memory.setRevokedBefore(ADA, 99, 1)
  t.equal(memory.endOf(session), null)
  memory.setRevokedBefore(ADA, 100, 1)
  t.equal(memory.endOf(session), 'revoked')
  for (const smaller of [99, 0]) memory.setRevokedBefore(ADA, smaller, 2)
  t.equal(memory.endOf(session), 'revoked')
  t.equal(memory.endOf(sessionRef({ createdAtMs: 101 })), null)
  t.equal(memory.endOf(sessionRef({ createdAtMs: 100, subjectKeys: ['grace'] })), null)
  t.equal(memory.endOf(sessionRef({ createdAtMs: 100, subjectKeys: ['grace', ADA] })), 'revoked', 'by either of its keys')
})

t.test('a session without a date is revoked by any cut-off, and is valid without one', async t => {
  const memory = new RevocationCache()
  const undated = sessionRef({ createdAtMs: 0 })
  memory.setRevokedBefore(ADA, 0, 1)
  t.equal(memory.endOf(undated), null)
  memory.setRevokedBefore(ADA, 1, 1)
  t.equal(memory.endOf(undated), 'revoked')
})

t.test('the cache keeps how a session was revoked, and when the last entry was dropped', async t => {
  const memory = new RevocationCache()
  t.equal(memory.checkedAtMs(ID), 0)
  memory.setChecked(ID, 7)
  t.equal(memory.checkedAtMs(ID), 7)
  memory.setEnd(ID, 'replaced', 50)
  for (let other = 1; other < 20_000; other++) memory.setEnd(`other ${other}`, 'revoked', 60)
  t.equal(memory.endOf(sessionRef()), 'replaced')
  t.equal(memory.droppedAtMs, 0)
  memory.setEnd('one too many', 'revoked', 60)
  t.equal(memory.endOf(sessionRef()), null)
  t.equal(memory.droppedAtMs, 50)
  memory.setRevokedBefore(ADA, START_MS, 40)
  for (let other = 0; other < 20_000; other++) memory.setRevokedBefore(`other ${other}`, START_MS, 70)
  t.equal(memory.endOf(sessionRef()), null)
  t.equal(memory.droppedAtMs, 50, 'the later of both')
  memory.setRevokedBefore('one too many', START_MS, 70)
  t.equal(memory.droppedAtMs, 70, 'a cut-off as well as an end')
})

t.test('subjects without a revocation take no room in the cache, however many', async t => {
  const cache = new RevocationCache()
  cache.setRevokedBefore(ADA, START_MS, 1)
  for (let other = 0; other < 20_000; other++) cache.setRevokedBefore(`other ${other}`, 0, 2)
  t.equal(cache.endOf(sessionRef()), 'revoked')
  t.equal(cache.droppedAtMs, 0)
})

t.test('the oldest entry of the bounded map is dropped, and returned', async t => {
  const recent = new BoundedMap<number>(2)
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
