import t from 'tap'
import secureSession from '../../index'
import { fixedTerms, Keyring } from '../../lib/keyring/keyring'
import { resolveOptions } from '../../lib/options/options'
import { defineSession, type SessionDefinition } from '../../lib/plugin/definition'
import { headerSource, loadNow } from '../../lib/plugin/load'
import { DeferredLog } from '../../lib/plugin/log'
import { planOf } from '../../lib/plugin/plan'
import type { Plan, PlanInput } from '../../lib/plugin/plan-types'
import { isRefused, verifyWithoutStore, type VerifiedSession } from '../../lib/plugin/verify'
import { NO_OBSERVER } from '../../lib/session/context'
import { Session } from '../../lib/session/session'
import { boundBrowser, loggedIn, shopOf } from '../bound/site'
import { addRoutes, appWith, bareApp, KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

/** What a reply does with a session, decided by what the request brought and what it did. */

const HOUR_MS = 3_600_000
const subject = (session: any): string | undefined => session.get('user')

type Act = (session: Session) => unknown
type Brought = 'nothing' | 'anonymous' | 'user' | 'due' | 'legacy' | 'legacy, due'

interface Row {
  readonly brought: Brought
  readonly act: Act
  readonly kind: Plan['kind']
  /** What else the plan says. */
  readonly more?: object
}

const read: Act = session => session.get('page')
const readObject: Act = session => session.get('cart')
const change: Act = session => { session.set('page', '/b') }
const nested: Act = session => { (session.get('cart') as number[]).push(1) }
const logIn: Act = session => { session.set('user', 'ada') }
const impersonate: Act = session => { session.set('user', 'eve') }
const regenerate: Act = session => { session.regenerate(['page']) }
const end: Act = session => { session.delete() }
const endAndBegin: Act = session => { session.delete(); session.set('page', '/c') }
const look: Act = session => [session.info, session.changed, session.data(), session.keys()]

const SAME = { meta: { lineage: 'same' }, revoke: { length: 0 }, login: null }

const ROWS: readonly Row[] = [
  { brought: 'nothing', act: read, kind: 'none' },
  { brought: 'nothing', act: look, kind: 'none' },
  { brought: 'nothing', act: end, kind: 'end', more: { revoke: { length: 0 } } },
  { brought: 'nothing', act: change, kind: 'write', more: { meta: { lineage: 'first' }, revoke: { length: 0 }, login: null } },
  { brought: 'nothing', act: logIn, kind: 'write', more: { meta: { lineage: 'first' }, login: Buffer } },
  { brought: 'nothing', act: regenerate, kind: 'replace', more: { meta: { lineage: 'fresh' }, revoke: { length: 0 } } },
  { brought: 'anonymous', act: read, kind: 'none' },
  { brought: 'anonymous', act: readObject, kind: 'none' },
  { brought: 'anonymous', act: look, kind: 'none' },
  { brought: 'anonymous', act: change, kind: 'write', more: SAME },
  { brought: 'anonymous', act: nested, kind: 'write', more: SAME },
  { brought: 'anonymous', act: logIn, kind: 'replace', more: { meta: { lineage: 'fresh', continuesLogin: false }, revoke: { length: 0 }, login: Buffer } },
  { brought: 'anonymous', act: end, kind: 'end', more: { revoke: { length: 0 } } },
  { brought: 'user', act: read, kind: 'none' },
  { brought: 'user', act: change, kind: 'write', more: SAME },
  { brought: 'user', act: nested, kind: 'write', more: SAME },
  { brought: 'user', act: impersonate, kind: 'replace', more: { meta: { lineage: 'fresh', continuesLogin: true }, revoke: { length: 1 }, login: Buffer } },
  { brought: 'user', act: regenerate, kind: 'replace', more: { meta: { lineage: 'fresh', continuesLogin: false }, revoke: { length: 1 }, login: null } },
  { brought: 'user', act: end, kind: 'end', more: { revoke: { length: 1 } } },
  { brought: 'user', act: endAndBegin, kind: 'replace', more: { meta: { lineage: 'fresh' }, revoke: { length: 1 } } },
  { brought: 'due', act: read, kind: 'renew', more: { stamp: { isRenewed: true, isChecked: false } } },
  { brought: 'due', act: change, kind: 'write', more: { ...SAME, stamp: null } },
  { brought: 'due', act: end, kind: 'end' },
  { brought: 'legacy', act: read, kind: 'none' },
  { brought: 'legacy', act: readObject, kind: 'none' },
  { brought: 'legacy', act: change, kind: 'migrate', more: SAME },
  { brought: 'legacy', act: regenerate, kind: 'replace' },
  { brought: 'legacy', act: end, kind: 'end' },
  { brought: 'legacy, due', act: read, kind: 'migrate', more: SAME },
  { brought: 'legacy, due', act: change, kind: 'migrate', more: SAME }
]

async function definitionOf (options: object): Promise<SessionDefinition> {
  const now = (): number => Date.now()
  const given = { key: KEY, subject, revocation: { store: secureSession.memoryRevocation() }, ...options }
  const [resolved] = resolveOptions(given, now())
  const keys = { keyring: new Keyring(fixedTerms([KEY])), seeker: null }
  return await defineSession(resolved as NonNullable<typeof resolved>, keys, 0, now, bareApp(t).log)
}

t.test('the plan follows from what the request brought and what it did', async t => {
  const clock = fakeClock(t)
  const own = await definitionOf({})
  const renamed = await definitionOf({ cookieName: 'new', legacy: [secureSession.sealedOpener({ cookieName: 'session' })] })
  const app = await appWith(t, { key: KEY, subject })
  addRoutes(app)
  app.get('/fill', async ({ session }) => { session.set('cart', [0]); session.set('page', '/a'); return {} })
  const anonymous = new Browser(app)
  await anonymous.get('/fill')
  const user = new Browser(app)
  await user.get('/set/user/ada')
  await user.get('/fill')
  for (const { brought, act, kind, more = {} } of ROWS) {
    const isLegacy = brought.startsWith('legacy')
    const definition = isLegacy ? renamed : own
    const header = brought === 'nothing' ? undefined : (brought === 'anonymous' ? anonymous : user).header
    if (brought.endsWith('due')) clock.advance(7 * HOUR_MS)
    const headers = header === undefined ? {} : { cookie: header }
    const head = { headers, rawHeaders: [] }
    const candidates = loadNow(definition, headerSource(head), new DeferredLog())
    const verified: VerifiedSession | null = candidates === null ? null : verifyWithoutStore(definition, candidates, headers)
    const session = new Session(definition.context, NO_OBSERVER, verified === null ? null : verified.opened)
    act(session)
    const input: PlanInput = { definition, session, verified, head, transport: 'cookie', overTls: false, isUsed: true, mustClearProof: false }
    const plan = planOf(input)
    t.match(plan, { kind, ...more }, `${brought}: ${act.name}`)
    t.strictSame(planOf(input).kind, kind, 'planning again changes nothing')
    if (brought.endsWith('due')) {
      t.match(planOf({ ...input, isUsed: false }).kind, act === read ? 'none' : kind, 'only a use renews')
      clock.advance(-7 * HOUR_MS)
    }
  }
})

type Bound = 'nothing' | 'an unmarked user' | 'a pass' | 'a proof' | 'a foreign proof' | 'a legacy pass'

interface BoundRow {
  readonly brought: Bound
  readonly act: Act
  readonly with?: object
  readonly kind: Plan['kind']
  readonly binding?: { setsPass: boolean, offersRegistration: boolean } | null
  /** The names of the cookies to clear. */
  readonly clear: string[]
}

const PASS_AND_OFFER = { setsPass: true, offersRegistration: true }
const ownPath: Act = session => { session.options({ path: '/app' }); session.set('user', 'ada') }
const leave: Act = session => { session.unset('user') }

const BOUND_ROWS: readonly BoundRow[] = [
  { brought: 'nothing', act: read, kind: 'none', clear: [] },
  { brought: 'nothing', act: change, kind: 'write', binding: null, clear: [] },
  { brought: 'nothing', act: logIn, kind: 'write', binding: PASS_AND_OFFER, clear: ['session.d'] },
  { brought: 'nothing', act: logIn, with: { overTls: false }, kind: 'write', binding: null, clear: [] },
  { brought: 'nothing', act: ownPath, kind: 'write', binding: null, clear: [] },
  { brought: 'an unmarked user', act: change, kind: 'write', binding: null, clear: [] },
  { brought: 'an unmarked user', act: impersonate, kind: 'replace', binding: null, clear: [] },
  { brought: 'an unmarked user', act: regenerate, kind: 'replace', binding: null, clear: [] },
  { brought: 'a pass', act: read, kind: 'none', clear: [] },
  { brought: 'a pass', act: change, kind: 'write', binding: null, clear: [] },
  { brought: 'a pass', act: impersonate, kind: 'replace', binding: null, clear: [] },
  { brought: 'a pass', act: leave, kind: 'replace', binding: null, clear: [] },
  { brought: 'a pass', act: end, kind: 'end', clear: ['session', 'session.u', 'session.d'] },
  { brought: 'a pass', act: regenerate, kind: 'replace', binding: null, clear: ['session.u', 'session.d'] },
  { brought: 'a proof', act: read, kind: 'none', clear: [] },
  { brought: 'a proof', act: read, with: { mustClearProof: true }, kind: 'none', clear: ['session.d'] },
  { brought: 'a proof', act: change, kind: 'write', binding: null, clear: [] },
  { brought: 'a proof', act: change, with: { mustClearProof: true }, kind: 'write', binding: null, clear: ['session.d'] },
  { brought: 'a proof', act: impersonate, kind: 'replace', binding: null, clear: [] },
  { brought: 'a proof', act: end, kind: 'end', clear: ['session', 'session.u', 'session.d'] },
  { brought: 'a proof', act: endAndBegin, kind: 'replace', binding: null, clear: ['session.u', 'session.d'] },
  { brought: 'a foreign proof', act: read, kind: 'none', clear: ['session.d'] },
  { brought: 'a foreign proof', act: change, kind: 'write', binding: null, clear: ['session.d'] },
  { brought: 'a foreign proof', act: logIn, kind: 'write', binding: PASS_AND_OFFER, clear: ['session.d'] },
  { brought: 'a legacy pass', act: read, kind: 'none', clear: [] },
  { brought: 'a legacy pass', act: change, kind: 'migrate', binding: PASS_AND_OFFER, clear: ['session', 'session.u', 'new.d'] },
  { brought: 'a legacy pass', act: change, with: { overTls: false }, kind: 'migrate', binding: { setsPass: true, offersRegistration: false }, clear: ['session', 'session.u', 'new.d'] }
]

t.test('what goes out beside a session with a mark follows from what the request brought and what it did', async t => {
  fakeClock(t)
  const deviceBound = true
  const own = await definitionOf({ deviceBound })
  const renamed = await definitionOf({ deviceBound, cookieName: 'new', legacy: [secureSession.sealedOpener({ cookieName: 'session' })] })
  const app = await shopOf(t)
  const [passed, bound, other] = [await loggedIn(app), await boundBrowser(app), await boundBrowser(app, 'eve')]
  const foreign = `session=${bound.cookies.get('session')}; session.d=${other.cookies.get('session.d')}`
  const unmarked = await loggedIn(await shopOf(t, { deviceBound: undefined }))
  const headerOf: Record<Bound, string | undefined> = {
    nothing: undefined,
    'an unmarked user': unmarked.header,
    'a pass': passed.header,
    'a proof': bound.header,
    'a foreign proof': foreign,
    'a legacy pass': passed.header
  }
  for (const { brought, act, kind, binding, clear, with: more = {} } of BOUND_ROWS) {
    const definition = brought === 'a legacy pass' ? renamed : own
    const header = headerOf[brought]
    const headers = header === undefined ? {} : { cookie: header }
    const head = { headers, rawHeaders: [] }
    const candidates = loadNow(definition, headerSource(head), new DeferredLog())
    const verified = candidates === null ? null : verifyWithoutStore(definition, candidates, headers)
    const session = new Session(definition.context, NO_OBSERVER, verified === null || isRefused(verified) ? null : verified.opened)
    act(session)
    const input: PlanInput = { definition, session, verified, head, transport: 'cookie', overTls: true, isUsed: true, mustClearProof: false, ...more }
    const plan = planOf(input)
    const what = `${brought}: ${act.name}, ${JSON.stringify(more)}`
    t.match(plan, { kind, ...binding === undefined ? {} : { binding } }, what)
    t.strictSame(plan.clear.map(({ name }) => name), clear, what)
    t.strictSame((planOf(input) as { meta?: object }).meta, (plan as { meta?: object }).meta, 'planning again gives the same mark')
  }
})

t.test('reading info at any time does not change the id that is sealed', async t => {
  const app = await appWith(t, { key: KEY, subject })
  app.get('/', async ({ session }) => {
    const ids: string[] = []
    for (const user of ['ada', 'eve', 'ada', 'eve']) {
      session.set('user', user)
      ids.push(session.info.id)
    }
    return ids
  })
  app.get('/id', async ({ session }) => session.info)
  const browser = new Browser(app)
  const first = await browser.json('/')
  t.equal(new Set(first).size, 1, 'a session that was begun in this request keeps its id')
  const { id } = await browser.json('/id')
  t.equal(id, first[0])
  const [asAda, asEve, again, last] = await browser.json('/')
  t.strictSame([again, last], [asAda, asEve], 'the id follows from the values')
  t.equal(asEve, id)
  t.not(asAda, id)
})

t.test('a session that became another user\'s and back in one request stays the session that it was', async t => {
  const app = await appWith(t, { key: KEY, subject })
  app.get('/in', async ({ session }) => { session.set('user', 'ada'); return {} })
  app.get('/there-and-back', async ({ session }) => {
    session.set('user', 'eve')
    const { id } = session.info
    session.set('user', 'ada')
    return { eve: id }
  })
  app.get('/id', async ({ session }) => session.info)
  const browser = new Browser(app)
  await browser.get('/in')
  const { id } = await browser.json('/id')
  t.not((await browser.json('/there-and-back')).eve, id)
  t.equal((await browser.json('/id')).id, id)
})
