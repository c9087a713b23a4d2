import t, { type Test } from 'tap'
import { DeviceBrowser, jwtOf, shopOf } from '../bound/site'
import type { LightMyRequestResponse } from 'fastify'
import { recordCalls } from '../helpers/calls'
import { fakeClock } from '../helpers/clock'

// What device bound sessions cost, counted in calls of libsodium.

const OPEN = ['decrypt']
const SEAL = ['randombytes_buf', 'encrypt']

interface Counted {
  readonly browser: DeviceBrowser
  /** The calls of one request, without the hashes of its subject. */
  readonly by: (work: () => Promise<LightMyRequestResponse>) => Promise<string[]>
}

async function counting (t: Test, options: object = {}): Promise<Counted> {
  const app = await shopOf(t, { tokenCache: 0, ...options })
  const browser = new DeviceBrowser(app)
  await browser.get('/login/ada')
  const record = recordCalls(t)
  return { browser, by: async work => (await record(work)).sodium.filter(name => name !== 'generichash') }
}

t.test('a session without a mark costs no call more, whether or not the option is on', async t => {
  const without = await counting(t, { deviceBound: undefined })
  const plain = without.browser
  const { browser, by } = await counting(t)
  for (const [name, value] of plain.cookies) browser.cookies.set(name, value)
  browser.cookies.delete('session.u')
  t.strictSame(await by(async () => await browser.get('/public')), [])
  t.strictSame(await by(async () => await browser.get('/me')), OPEN)
  t.strictSame(await by(async () => await browser.get('/write/page')), [...OPEN, ...SEAL])
})

t.test('a request that does not use the session costs no call, also with a mark', async t => {
  const { browser, by } = await counting(t)
  t.strictSame(await by(async () => await browser.get('/public')), [])
})

t.test('a session with its pass costs no call more, a bound one opens one small cookie more', async t => {
  const { browser, by } = await counting(t)
  t.strictSame(await by(async () => await browser.get('/me')), OPEN)
  await browser.register()
  t.strictSame(await by(async () => await browser.get('/me')), [...OPEN, ...OPEN])
  t.strictSame(await by(async () => await browser.get('/write/page')), [...OPEN, ...OPEN, ...SEAL])
})

t.test('with a cached token, the proof alone is opened', async t => {
  const { browser, by } = await counting(t, { tokenCache: 10 })
  await browser.register()
  await browser.get('/me')
  t.strictSame(await by(async () => await browser.get('/me')), OPEN)
})

t.test('at most four proofs are opened, once for all sessions of a request', async t => {
  const { browser, by } = await counting(t)
  await browser.register()
  const [session, proof] = ['session', 'session.d'].map(name => `${name}=${browser.cookies.get(name)}`) as [string, string]
  const cookie = [session, session, ...Array<string>(5).fill(proof)].join('; ')
  t.strictSame(await by(async () => await browser.get('/me', { headers: { cookie } })), Array(6).fill('decrypt'))
})

t.test('a login draws a mark, and seals one small token more', async t => {
  const { browser, by } = await counting(t)
  browser.cookies.clear()
  const id = ['randombytes_buf']
  const mark = ['randombytes_buf']
  const calls = await by(async () => await browser.get('/login/ada'))
  t.strictSame([...calls].sort(), [...id, ...mark, ...SEAL, ...SEAL].sort())
})

t.test('a registration and a refresh open and seal three or four small tokens, beside the session', async t => {
  const { browser, by } = await counting(t)
  const small = (opens: number, seals: number): string[] => [...Array(opens + 1).fill(OPEN), ...Array(seals).fill(SEAL)].flat().sort()
  t.strictSame((await by(async () => await browser.register())).sort(), small(1, 3), 'challenge; identifier, proof, challenge')
  t.strictSame((await by(async () => await browser.refresh())).sort(), small(2, 2), 'identifier, challenge; proof, challenge')
})

t.test('a refresh that is refused seals its challenge alone', async t => {
  const clock = fakeClock(t)
  const { browser, by } = await counting(t)
  await browser.register()
  const other = new DeviceBrowser(await shopOf(t))
  const jwt = jwtOf(other.keys.privateKey, { jti: 'x' })
  const refresh = async (response: string | undefined): Promise<string[]> => {
    return await by(async () => await browser.post('refresh', { 'sec-secure-session-id': browser.identifier, 'secure-session-response': response }))
  }
  t.strictSame(await refresh(undefined), [...OPEN, ...OPEN, ...SEAL])
  t.strictSame(await refresh(jwt), [...OPEN, ...OPEN, ...SEAL])
  clock.advance(20 * 60_000)
  t.strictSame(await refresh(jwtOf(browser.keys.privateKey, { jti: browser.challenge })), [...OPEN, ...OPEN, ...SEAL, ...OPEN], 'the challenge is opened, and the signature of one that is too old is not verified')
})
