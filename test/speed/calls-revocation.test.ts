import t, { type Test } from 'tap'
import secureSession from '../../index'
import { fakeClock, type FakeClock } from '../helpers/clock'
import { ask, counter, headerAfter, NOTHING, OPENED, quietApp, SEALED, type Counts } from './site'

const MINUTE_MS = 60_000

/** A store in memory that counts what it is asked and told. */
class CountingStore implements secureSession.RevocationStore {
  asked = 0
  raised = 0
  readonly #held = secureSession.memoryRevocation()

  async cutOffs (keys: readonly string[]): Promise<readonly number[]> {
    this.asked++
    return await this.#held.cutOffs(keys)
  }

  async raise (key: string, cutOffMs: number, keepForMs: number): Promise<number> {
    this.raised++
    return await this.#held.raise(key, cutOffMs, keepForMs)
  }
}

interface Visit {
  readonly store: CountingStore
  readonly clock: FakeClock
  readonly cookie: string
  count (route: string, cookie?: string): Promise<Counts>
  stampAfter (route: string): Promise<string>
}

async function visit (t: Test, options: Partial<secureSession.SessionOptions> = {}): Promise<Visit> {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await quietApp(t, { revocation: { store, recheck: '5m' }, ...options })
  const cookie = await headerAfter(app, '/login')
  const count = counter(t)
  store.asked = 0
  return {
    store,
    clock,
    cookie,
    count: async (route, sent = cookie) => await count(app, `/${route}`, sent),
    async stampAfter (route) {
      const line = (await ask(app, `/${route}`, cookie)).headers['set-cookie'] as string
      return line.slice(0, line.indexOf(';'))
    }
  }
}

t.test('within the window the store is not asked, and a request costs as much as without revocation', async t => {
  const { store, clock, count } = await visit(t)
  clock.advance(4 * MINUTE_MS)
  t.strictSame(await count('untouched'), OPENED, 'opened before the handler, since the answer may have to be waited for')
  t.strictSame(await count('read-one'), OPENED)
  t.strictSame(await count('read-two'), OPENED)
  t.strictSame(await count('read-object'), { ...OPENED, written: 1 })
  t.strictSame(await count('write-one'), SEALED)
  t.equal(store.asked + store.raised, 0)
})

t.test('the option subject is called, and its result hashed, only if the session is written', async t => {
  const { store, clock, count } = await visit(t, { subject: session => session.get('locale') })
  clock.advance(4 * MINUTE_MS)
  t.strictSame(await count('read-one'), OPENED)
  t.strictSame(await count('write-one'), { ...SEALED, sodium: ['decrypt', 'generichash', 'randombytes_buf', 'encrypt'] })
  t.equal(store.asked + store.raised, 0)
})

t.test('when a check is due the store is asked once, and a stamp prevents the next lookup', async t => {
  const { store, clock, cookie, count, stampAfter } = await visit(t)
  clock.advance(6 * MINUTE_MS)
  const stamp = await stampAfter('read-one')
  t.match(stamp, /^session\.t=/)
  t.equal(store.asked, 1)
  t.strictSame(await count('read-one', `${cookie}; ${stamp}`), { ...OPENED, sodium: ['decrypt', 'decrypt'] })
  t.strictSame(await count('read-one', `${cookie}; ${stamp}`), { ...OPENED, sodium: ['decrypt', 'decrypt'] })
  t.equal(store.asked, 1)
})

t.test('a request without a cookie or with a refused one makes no store call', async t => {
  const { store, count } = await visit(t)
  t.strictSame(await count('read-one', ''), NOTHING)
  t.strictSame(await count('read-one', `session=${'A'.repeat(15_000)}`), NOTHING)
  t.equal(store.asked, 0)
})

t.test('delete ends the session in the store, by one raise of a hash of its id', async t => {
  const { store, count } = await visit(t)
  const { sodium } = await count('delete')
  t.strictSame(sodium, ['decrypt', 'generichash', 'generichash'], 'for the store, and for whoever hears of it')
  t.strictSame({ asked: store.asked, raised: store.raised }, { asked: 0, raised: 1 })
})
