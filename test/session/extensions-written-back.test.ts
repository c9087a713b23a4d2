import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { readEnvelope, writeEnvelope, type OpenedEnvelope } from '../../lib/core/envelope'
import { EXTENSION_AUTHENTICATED_AT, EXTENSION_IDLE_LIMIT, EXTENSION_SUBJECT } from '../../lib/core/format'
import { openToken, plaintext, sealToken, type OpenedToken } from '../../lib/core/token'
import { hashOfSubject } from '../../lib/revocation/keys'
import { appWith, KEY, type TestApp } from '../helpers/app'
import { Browser, parseLine, setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { keysFor } from '../helpers/ring'
import { subject } from '../revocation/users'

/** What a writer writes back: extensions that it does not know, the subject's hash, when the session was checked. */

const UNKNOWN = 77
const LATER = Buffer.from('of a later version')
const NOBODY = Buffer.alloc(0)

async function appOf (t: Test, options: Partial<secureSession.SessionOptions> = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, ...options })
  app.get('/user/:user', async ({ session, params }) => {
    session.set('user', (params as { user: string }).user)
    return session.info
  })
  app.get('/nobody', async ({ session }) => { session.unset('user'); return {} })
  app.get('/get', async ({ session }) => session.data())
  app.get('/touch', async ({ session }) => { session.touch(); return session.info })
  app.get('/regenerate', async ({ session }) => { session.regenerate(['user']); return {} })
  app.get('/revoke-others', async ({ session }) => { await session.revokeOthers(); return {} })
  return app
}

function hashOf (user: string): Buffer {
  return hashOfSubject('session', user)
}

/** A browser with a session of this user, with these extensions. */
function having (app: TestApp, user: string | null, extensions: ReadonlyArray<readonly [number, Buffer]>): Browser {
  const nowMs = Date.now()
  const envelope = {
    id: randomBytes(16),
    createdAtMs: nowMs,
    renewedAtMs: nowMs,
    extensions: new Map(extensions),
    customSerializer: false,
    data: JSON.stringify(user === null ? {} : { user })
  }
  const browser = new Browser(app)
  browser.cookies.set('session', sealToken(writeEnvelope(envelope, 0, plaintext), keysFor().sealing(nowMs), 1))
  return browser
}

/** The extensions of the session in a browser. */
function extensionsIn (browser: Browser): OpenedEnvelope['extensions'] {
  const length = (openToken(browser.cookies.get('session') as string, keysFor(), 1, Date.now()) as OpenedToken).plaintextBytes
  return (readEnvelope(plaintext, length) as OpenedEnvelope).extensions
}

t.test('a write keeps unknown extensions while the session belongs to the same user', async t => {
  const app = await appOf(t, { subject, revocation: { store: secureSession.memoryRevocation() } })
  const kept = [['ada', '/touch'], ['ada', '/revoke-others'], [null, '/touch']] as const
  for (const [user, url] of kept) {
    const browser = having(app, user, [[UNKNOWN, LATER], [EXTENSION_SUBJECT, user === null ? NOBODY : hashOf(user)]])
    t.equal((await browser.get(url)).statusCode, 200)
    t.strictSame(extensionsIn(browser).get(UNKNOWN), LATER, `${user}: ${url}`)
  }
})

t.test('a login, a change of user, a logout of the user and regenerate remove unknown extensions', async t => {
  const app = await appOf(t, { subject })
  const dropped = [[null, '/user/ada'], ['ada', '/user/bob'], ['ada', '/nobody'], ['ada', '/regenerate']] as const
  for (const [user, url] of dropped) {
    const browser = having(app, user, [[UNKNOWN, LATER], [EXTENSION_SUBJECT, user === null ? NOBODY : hashOf(user)]])
    t.equal((await browser.get(url)).statusCode, 200)
    t.equal(extensionsIn(browser).has(UNKNOWN), false, `${user}: ${url}`)
  }
})

t.test('without subject, a write keeps unknown extensions, and regenerate removes them', async t => {
  const app = await appOf(t)
  const browser = having(app, 'ada', [[UNKNOWN, LATER]])
  await browser.get('/user/bob')
  t.strictSame(extensionsIn(browser), new Map([[UNKNOWN, LATER]]))
  await browser.get('/regenerate')
  t.strictSame(extensionsIn(browser), new Map())
})

t.test('an app without subject writes the sealed subject hash back only if the data is unchanged', async t => {
  const app = await appOf(t)
  app.get('/path', async ({ session }) => { session.options({ sameSite: 'strict' }); return {} })
  const same = ['/touch', '/path'].map(url => [url, true] as const)
  const other = ['/user/bob', '/nobody', '/regenerate'].map(url => [url, false] as const)
  for (const [url, isKept] of [...same, ...other]) {
    const browser = having(app, 'ada', [[EXTENSION_SUBJECT, hashOf('ada')]])
    await browser.get(url)
    t.strictSame(extensionsIn(browser).get(EXTENSION_SUBJECT), isKept ? hashOf('ada') : undefined, url)
  }
})

t.test('an app without subject keeps the time at which another app authenticated the user', async t => {
  const clock = fakeClock(t)
  const app = await appOf(t)
  const authenticatedAt = clock.nowMs - 1000
  const time = Buffer.alloc(6)
  time.writeUIntBE(authenticatedAt, 0, 6)
  const browser = having(app, 'ada', [[EXTENSION_AUTHENTICATED_AT, time]])
  t.match(await browser.json('/user/bob'), { createdAt: clock.nowMs, authenticatedAt })
  t.match(await browser.json('/touch'), { createdAt: clock.nowMs, authenticatedAt })
})

t.test('limits of one session take no room for cookie attributes, of which it has none', async t => {
  const app = await appOf(t)
  app.get('/idle', async ({ session }) => { session.set('user', 'ada'); session.options({ idle: 60 }); return {} })
  const browser = new Browser(app)
  await browser.get('/idle')
  t.strictSame([...extensionsIn(browser).keys()], [EXTENSION_IDLE_LIMIT])
})

t.test('if an app without subject changed the user, revoking the new user ends the session', async t => {
  const store = secureSession.memoryRevocation()
  const clock = fakeClock(t)
  const [plain, knowing] = [await appOf(t), await appOf(t, { subject, revocation: { store } })]
  const bobs = async (): Promise<Browser> => {
    const browser = having(plain, 'ada', [[EXTENSION_SUBJECT, hashOf('ada')]])
    await browser.get('/user/bob')
    clock.advance(1000)
    return browser.copy(knowing)
  }
  const [one, other] = [await bobs(), await bobs()]
  await knowing.secureSession.revokeSubject('ada')
  t.strictSame(await one.json('/get'), { user: 'bob' })
  await knowing.secureSession.revokeSubject('bob')
  t.strictSame(await other.json('/get'), {})
})

t.test('an app without revocation keeps the time of the last check in the stamps that it writes', async t => {
  const clock = fakeClock(t)
  const plain = await appOf(t, { subject })
  const checking = await appOf(t, { subject, revocation: { store: secureSession.memoryRevocation(), recheck: '5m' } })
  const browser = new Browser(checking)
  await browser.get('/user/ada')
  clock.advance(7 * 3_600_000)
  const checkedAtMs = clock.nowMs
  await browser.get('/get')
  clock.advance(7 * 3_600_000)
  const [line] = setCookies(await browser.copy(plain).get('/get')) as [string]
  t.equal(parseLine(line).name, 'session.t')
  const length = (openToken(parseLine(line).value, keysFor('session.t', 'stamp'), 1, clock.nowMs) as OpenedToken).plaintextBytes
  t.equal(length, 28)
  t.equal(plaintext.readUIntBE(16, 6), clock.nowMs, 'renewed now')
  t.equal(plaintext.readUIntBE(22, 6), checkedAtMs)
})
