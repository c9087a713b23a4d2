import t, { type Test } from 'tap'
import secureSession from '../../index'
import { hashOfSubject, keyOf, keyOfId } from '../../lib/revocation/keys'
import type { TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock, type FakeClock } from '../helpers/clock'
import { CountingStore } from './stores'
import { appOfUsers, loggedIn, userIn } from './users'

/** What one request may do to its session, one after the other, and what comes of it. */

type Session = secureSession.Session & { unset (key: string): void }

const STEPS = {
  set (session: Session) { session.set('value', 1) },
  /** Keeps who is logged in. */
  regenerate (session: Session) { session.regenerate(['user']) },
  restart (session: Session) { session.regenerate() },
  delete (session: Session) { session.delete() },
  async revoke (session: Session) { await session.revoke() },
  async revokeOthers (session: Session) { await session.revokeOthers() },
  /** As the user that the session had, if it had one. */
  login (session: Session, ada: string) { session.set('user', ada) },
  /** As another user. */
  become (session: Session, _ada: string, bob: string) { session.set('user', bob) },
  logout (session: Session) { session.unset('user') }
} as const

type Step = keyof typeof STEPS
/** Whose session the request brings. */
type Brought = 'ada' | 'nobody'

const ALL = Object.keys(STEPS) as Step[]

interface Outcome {
  readonly status: number
  readonly user: string
  /** Old cookies that still open: a copy of the one that was brought, and those of other sessions of Ada and of Bob. */
  readonly open: readonly string[]
  /** What is over by the store: the id that was brought, and subjects. */
  readonly ended: readonly string[]
  readonly writes: number
}

/** Two processes with one store, and users of their own for each run. */
class World {
  readonly #clock: FakeClock
  readonly #store: CountingStore
  readonly #here: TestApp
  readonly #there: TestApp
  #runs = 0

  private constructor (clock: FakeClock, store: CountingStore, here: TestApp, there: TestApp) {
    this.#clock = clock
    this.#store = store
    this.#here = here
    this.#there = there
  }

  static async open (t: Test): Promise<World> {
    const clock = fakeClock(t)
    const store = new CountingStore()
    return new World(clock, store, await appWithSteps(t, store), await appWithSteps(t, store))
  }

  async outcomeOf (brought: Brought, steps: readonly Step[]): Promise<Outcome> {
    const run = ++this.#runs
    const users = ['ada', 'bob'] as const
    const nameOf = (user: string): string => `${user}-${run}`
    const others = await Promise.all(users.map(async user => await loggedIn(this.#here, nameOf(user))))
    const browser = brought === 'nobody' ? new Browser(this.#here) : await loggedIn(this.#here, nameOf(brought))
    await browser.get('/set/1')
    const keys = new Map([
      [keyOfId((await browser.json('/info')).id), 'old'],
      ...users.map(user => [keyOf(hashOfSubject('session', nameOf(user))), user] as const)
    ])
    const copy = browser.copy(this.#there)
    this.#clock.advance(1000)
    const before = this.#store.raised
    const { statusCode } = await browser.get(`/do/${nameOf('ada')}/${nameOf('bob')}/${steps.join()}`)
    const raises = this.#store.raises.slice(before)
    const seen = new Set([await userIn(browser), await userIn(browser.copy(this.#there))].map(user => user ?? 'nobody-'))
    const open = await Promise.all(others.map(async (other, index) => await userIn(other.copy(this.#there)) === null ? [] : [users[index] as string]))
    const isCopyOpen = Object.keys(await copy.json('/data')).length > 0
    return {
      status: statusCode,
      user: [...seen].map(user => user.split('-')[0]).join(' or '),
      open: [...isCopyOpen ? ['copy'] : [], ...open.flat()],
      ended: [...new Set(raises.map(({ key }) => keys.get(key) ?? 'another'))].sort(),
      writes: raises.length
    }
  }
}

async function appWithSteps (t: Test, store: secureSession.RevocationStore): Promise<TestApp> {
  const app = await appOfUsers(t, { store, recheck: 0 })
  app.get('/data', async ({ session }) => session.data())
  app.get<{ Params: Record<string, string> }>('/do/:ada/:bob/:steps', async ({ session, params: { ada = '', bob = '', steps = '' } }) => {
    for (const step of steps.split(',')) await STEPS[step as Step](session as Session, ada, bob)
    return {}
  })
  return app
}

/** Of Ada's session, by one step and by two. `ended` and `writes` are those of the store. */
const TABLE = `
| steps                     | status | user | still open | ended | writes |
| set                       | 200 | ada    | copy ada bob |         | 0      |
| regenerate                | 200 | ada    | ada bob      | old     | 1      |
| restart                   | 200 | nobody | ada bob      | old     | 1      |
| delete                    | 200 | nobody | ada bob      | old     | 1      |
| revoke                    | 200 | nobody | ada bob      | old     | 1      |
| revokeOthers              | 200 | ada    | bob          | ada old | 2      |
| login                     | 200 | ada    | copy ada bob |         | 0      |
| become                    | 200 | bob    | ada bob      | old     | 1      |
| logout                    | 200 | nobody | ada bob      | old     | 1      |
| set set                   | 200 | ada    | copy ada bob |         | 0      |
| set regenerate            | 200 | ada    | ada bob      | old     | 1      |
| set restart               | 200 | nobody | ada bob      | old     | 1      |
| set delete                | 200 | nobody | ada bob      | old     | 1      |
| set revoke                | 200 | nobody | ada bob      | old     | 1      |
| set revokeOthers          | 200 | ada    | bob          | ada old | 2      |
| set login                 | 200 | ada    | copy ada bob |         | 0      |
| set become                | 200 | bob    | ada bob      | old     | 1      |
| set logout                | 200 | nobody | ada bob      | old     | 1      |
| regenerate set            | 200 | ada    | ada bob      | old     | 1      |
| regenerate regenerate     | 200 | ada    | ada bob      | old     | 1      |
| regenerate restart        | 200 | nobody | ada bob      | old     | 1      |
| regenerate delete         | 200 | nobody | ada bob      | old     | 1      |
| regenerate revoke         | 200 | nobody | ada bob      | old     | 1      |
| regenerate revokeOthers   | 200 | ada    | bob          | ada old | 2      |
| regenerate login          | 200 | ada    | ada bob      | old     | 1      |
| regenerate become         | 200 | bob    | ada bob      | old     | 1      |
| regenerate logout         | 200 | nobody | ada bob      | old     | 1      |
| restart set               | 200 | nobody | ada bob      | old     | 1      |
| restart regenerate        | 200 | nobody | ada bob      | old     | 1      |
| restart restart           | 200 | nobody | ada bob      | old     | 1      |
| restart delete            | 200 | nobody | ada bob      | old     | 1      |
| restart revoke            | 200 | nobody | ada bob      | old     | 1      |
| restart revokeOthers      | 401 | nobody | ada bob      | old     | 1      |
| restart login             | 200 | ada    | ada bob      | old     | 1      |
| restart become            | 200 | bob    | ada bob      | old     | 1      |
| restart logout            | 200 | nobody | ada bob      | old     | 1      |
| delete set                | 200 | nobody | ada bob      | old     | 1      |
| delete regenerate         | 200 | nobody | ada bob      | old     | 1      |
| delete restart            | 200 | nobody | ada bob      | old     | 1      |
| delete delete             | 200 | nobody | ada bob      | old     | 1      |
| delete revoke             | 200 | nobody | ada bob      | old     | 1      |
| delete revokeOthers       | 401 | nobody | ada bob      | old     | 1      |
| delete login              | 200 | ada    | ada bob      | old     | 1      |
| delete become             | 200 | bob    | ada bob      | old     | 1      |
| delete logout             | 200 | nobody | ada bob      | old     | 1      |
| revoke set                | 200 | nobody | ada bob      | old     | 1      |
| revoke regenerate         | 200 | nobody | ada bob      | old     | 1      |
| revoke restart            | 200 | nobody | ada bob      | old     | 1      |
| revoke delete             | 200 | nobody | ada bob      | old     | 1      |
| revoke revoke             | 200 | nobody | ada bob      | old     | 1      |
| revoke revokeOthers       | 401 | nobody | ada bob      | old     | 1      |
| revoke login              | 200 | ada    | ada bob      | old     | 1      |
| revoke become             | 200 | bob    | ada bob      | old     | 1      |
| revoke logout             | 200 | nobody | ada bob      | old     | 1      |
| revokeOthers set          | 200 | ada    | bob          | ada old | 2      |
| revokeOthers regenerate   | 200 | ada    | bob          | ada old | 2      |
| revokeOthers restart      | 200 | nobody | bob          | ada old | 2      |
| revokeOthers delete       | 200 | nobody | bob          | ada old | 2      |
| revokeOthers revoke       | 200 | nobody | bob          | ada old | 2      |
| revokeOthers revokeOthers | 200 | ada    | bob          | ada old | 3      |
| revokeOthers login        | 200 | ada    | bob          | ada old | 2      |
| revokeOthers become       | 200 | bob    | bob          | ada old | 2      |
| revokeOthers logout       | 200 | nobody | bob          | ada old | 2      |
| login set                 | 200 | ada    | copy ada bob |         | 0      |
| login regenerate          | 200 | ada    | ada bob      | old     | 1      |
| login restart             | 200 | nobody | ada bob      | old     | 1      |
| login delete              | 200 | nobody | ada bob      | old     | 1      |
| login revoke              | 200 | nobody | ada bob      | old     | 1      |
| login revokeOthers        | 200 | ada    | bob          | ada old | 2      |
| login login               | 200 | ada    | copy ada bob |         | 0      |
| login become              | 200 | bob    | ada bob      | old     | 1      |
| login logout              | 200 | nobody | ada bob      | old     | 1      |
| become set                | 200 | bob    | ada bob      | old     | 1      |
| become regenerate         | 200 | bob    | ada bob      | old     | 1      |
| become restart            | 200 | nobody | ada bob      | old     | 1      |
| become delete             | 200 | nobody | ada bob      | old     | 1      |
| become revoke             | 200 | nobody | ada bob      | old     | 1      |
| become revokeOthers       | 200 | bob    | ada          | bob old | 2      |
| become login              | 200 | ada    | copy ada bob |         | 0      |
| become become             | 200 | bob    | ada bob      | old     | 1      |
| become logout             | 200 | nobody | ada bob      | old     | 1      |
| logout set                | 200 | nobody | ada bob      | old     | 1      |
| logout regenerate         | 200 | nobody | ada bob      | old     | 1      |
| logout restart            | 200 | nobody | ada bob      | old     | 1      |
| logout delete             | 200 | nobody | ada bob      | old     | 1      |
| logout revoke             | 200 | nobody | ada bob      | old     | 1      |
| logout revokeOthers       | 401 | nobody | ada bob      | old     | 1      |
| logout login              | 200 | ada    | copy ada bob |         | 0      |
| logout become             | 200 | bob    | ada bob      | old     | 1      |
| logout logout             | 200 | nobody | ada bob      | old     | 1      |
`

t.test('each step, and each order of two, changes the session of a user as the table says', async t => {
  const world = await World.open(t)
  const rows = TABLE.trim().split('\n').slice(1).map(line => line.split('|').slice(1, -1).map(cell => cell.trim()) as [string, ...string[]])
  for (const [steps, ...expected] of rows) {
    t.strictSame(cellsOf(await world.outcomeOf('ada', steps.split(' ') as Step[])), expected, steps)
  }
  t.strictSame(rows.map(([steps]) => steps), sequences(2).map(steps => steps.join(' ')), 'and it says it of all of them')
})

for (const brought of ['ada', 'nobody'] as const) {
  t.test(`each order of up to three steps follows the rules, in a session of: ${brought}`, async t => {
    const world = await World.open(t)
    for (const steps of sequences(3).filter(isSensible)) {
      const outcome = cellsOf(await world.outcomeOf(brought, steps))
      const expected = cellsOf(expectedOf(brought, steps))
      // One assertion for each would be 482 of them.
      if (outcome.join() !== expected.join()) t.strictSame(outcome, expected, steps.join(' '))
    }
    t.pass()
  })
}

/** The rules. Nothing of the library's own is in them. */
function expectedOf (brought: Brought, steps: readonly Step[]): Outcome {
  let user: string = brought
  let isDeleted = false
  let isAnother = false
  let status = 200
  const cutOff: string[] = []
  for (const step of steps) {
    if (step === 'revokeOthers' && user === 'nobody') {
      status = 401
      break
    }
    switch (step) {
      case 'set': isDeleted = false; break
      case 'login': user = 'ada'; isDeleted = false; break
      case 'become': user = 'bob'; isDeleted = false; break
      case 'logout': user = 'nobody'; break
      case 'regenerate': isAnother ||= !isDeleted; break
      case 'restart': isAnother ||= !isDeleted; user = 'nobody'; break
      case 'revokeOthers': isAnother = true; cutOff.push(user); break
      case 'delete':
      case 'revoke': isAnother = true; isDeleted = true; user = 'nobody'
    }
  }
  // A session of nobody is not ended in the store, whatever becomes of it.
  const isEnded = brought === 'ada' && (isAnother || user !== brought)
  return {
    status,
    user,
    open: [...isEnded ? [] : ['copy'], ...['ada', 'bob'].filter(name => !cutOff.includes(name))],
    ended: [...['ada', 'bob'].filter(name => cutOff.includes(name)), ...isEnded ? ['old'] : []],
    writes: cutOff.length + (isEnded ? 1 : 0)
  }
}

/** All orders of up to so many steps. */
function sequences (most: number): Step[][] {
  const shorter = most === 1 ? [[]] : [[], ...sequences(most - 1)]
  return shorter.flatMap(steps => ALL.map(step => [...steps, step]))
}

/** Of three, those that change something each time. */
function isSensible (steps: readonly Step[]): boolean {
  return steps.length < 3 || !steps.some((step, index) => step === 'set' || step === steps[index - 1])
}

function cellsOf ({ status, user, open, ended, writes }: Outcome): string[] {
  return [String(status), user, open.join(' '), ended.join(' '), String(writes)]
}

t.test('revokeOthers and then regenerate is a new login after the cut-off', async t => {
  const clock = fakeClock(t)
  const app = await appWithSteps(t, new CountingStore())
  const browser = await loggedIn(app)
  clock.advance(1000)
  t.equal((await browser.get('/do/ada/bob/revokeOthers,regenerate')).statusCode, 200)
  t.match(await browser.json('/info'), { createdAt: clock.nowMs + 1, authenticatedAt: clock.nowMs + 1 })
})

t.test('any number of revokeOthers is not a login', async t => {
  const clock = fakeClock(t)
  const app = await appWithSteps(t, new CountingStore())
  const browser = await loggedIn(app)
  const { authenticatedAt } = await browser.json('/info')
  clock.advance(1000)
  await browser.get('/do/ada/bob/revokeOthers,revokeOthers,revokeOthers')
  t.match(await browser.json('/info'), { createdAt: clock.nowMs + 1, authenticatedAt })
})

t.test('a revokeSubject between two calls of revokeOthers also ends the session that calls them', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appWithSteps(t, store)
  app.get('/twice', async ({ session }) => {
    await session.revokeOthers()
    clock.advance(1000)
    await app.secureSession.revokeSubject('ada')
    clock.advance(1000)
    await session.revokeOthers()
    return {}
  })
  const browser = await loggedIn(app)
  t.match((await browser.get('/twice')).json(), { statusCode: 401, code: 'FST_SESSION_REQUIRED' })
  t.equal(await userIn(browser), null)
})

t.test('after a change of user, revokeOthers revokes the sessions of the new user, whatever was revoked before', async t => {
  const clock = fakeClock(t)
  const app = await appWithSteps(t, new CountingStore())
  const [admin, bobs] = [await loggedIn(app, 'ada'), await loggedIn(app, 'bob')]
  clock.advance(1000)
  await app.secureSession.revokeSubject('bob')
  const bobsNext = await loggedIn(app, 'bob')
  clock.advance(1000)
  t.equal((await admin.get('/do/ada/bob/become,revokeOthers')).statusCode, 200)
  t.strictSame([await userIn(admin), await userIn(bobs), await userIn(bobsNext)], ['bob', null, null])
})

t.test('options of one user do not apply to the next, also with revokeOthers between them', async t => {
  fakeClock(t)
  const app = await appWithSteps(t, new CountingStore())
  app.get('/remember', async ({ session }) => { session.options({ absolute: '90d', idle: '90d' }); return {} })
  for (const [steps, isKept] of [['revokeOthers', true], ['revokeOthers,become', false], ['revokeOthers,logout', false], ['become', false]] as const) {
    const browser = await loggedIn(app)
    await browser.get('/remember')
    const { expiresAt } = await browser.json('/info')
    await browser.get(`/do/ada/bob/${steps}`)
    t.equal((await browser.json('/info')).expiresAt === expiresAt, isKept, steps)
  }
})

t.test('a new login is valid in any order, even if another server revoked the session of the request', async t => {
  for (const [steps, status] of [['delete,login,regenerate', 200], ['restart,login,regenerate', 200], ['login,regenerate', 401], ['regenerate', 401]] as const) {
    const store = new CountingStore()
    const [here, there] = [await appWithSteps(t, store), await appOfUsers(t, { store })]
    const browser = await loggedIn(here)
    const stale = browser.copy(there)
    there.get('/delete,login,regenerate', async ({ session }) => { session.delete(); session.set('user', 'ada'); session.regenerate(['user']); return {} })
    there.get('/restart,login,regenerate', async ({ session }) => { session.regenerate(); session.set('user', 'ada'); session.regenerate(['user']); return {} })
    there.get('/login,regenerate', async ({ session }) => { session.set('user', 'ada'); session.regenerate(['user']); return {} })
    await browser.get('/logout')
    t.equal((await stale.get(`/${steps}`)).statusCode, status, steps)
    t.equal(await userIn(stale), status === 200 ? 'ada' : null)
  }
})

t.test('if the store fails between the two writes of revokeOthers, the session stays valid and can retry', async t => {
  const clock = fakeClock(t)
  const store = new CountingStore()
  const app = await appWithSteps(t, store)
  const [browser, other] = [await loggedIn(app), await loggedIn(app)]
  const before = await browser.json('/info')
  const copy = browser.copy()
  clock.advance(1000)
  store.failsAfter = 1
  t.match((await browser.get('/do/ada/bob/revokeOthers')).json(), { statusCode: 503, code: 'FST_SESSION_STORE_UNAVAILABLE' })
  store.failsAfter = Infinity
  t.strictSame([await userIn(browser), await userIn(copy), await userIn(other)], ['ada', null, 'ada'])
  const after = await browser.json('/info')
  t.not(after.id, before.id)
  t.match(after, { createdAt: before.createdAt, authenticatedAt: before.authenticatedAt })
  t.equal((await browser.get('/do/ada/bob/revokeOthers')).statusCode, 200)
  t.strictSame([await userIn(browser), await userIn(other)], ['ada', null])
})
