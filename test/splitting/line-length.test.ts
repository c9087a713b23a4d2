import t, { type Test } from 'tap'
import type secureSession from '../../index'
import type { TestApp } from '../helpers/app'
import { Browser, parseLine, setCookies } from '../helpers/browser'
import { fakeClock, type FakeClock } from '../helpers/clock'
import { appOfSizes, LINE } from './sized'

type Options = Partial<secureSession.SessionOptions>
type CookieOptions = Exclude<NonNullable<Options['cookie']>, (...args: never) => unknown>

const PATH = `/${'p'.repeat(1023)}`
const DOMAIN = `${'d'.repeat(60)}.`.repeat(4) + 'example.com'.slice(0, 9)
const NAME = 'n'.repeat(512)
const LONG: CookieOptions = { path: PATH, domain: DOMAIN, secure: true, partitioned: true, priority: 'medium' }
const LONGEST_MAX_AGE = '; Max-Age=34560000'
const DAY_S = 86_400

/** What all cookies of a session have, and what one session may be given in addition. */
const CONFIGURED: readonly Options[] = [
  {},
  { persistent: true },
  { persistent: true, absolute: '400d', cookie: { secure: true, domain: 'shop.example.com' } },
  { cookie: { path: PATH } },
  { cookie: { domain: DOMAIN, sameSite: 'none', partitioned: true, priority: 'medium' }, persistent: true },
  { cookie: { maxAge: 9 }, idle: 9 },
  { cookie: { expires: new Date(Date.UTC(2026, 0, 31)) } },
  { cookie: { maxAge: 400 * DAY_S, expires: new Date(Date.UTC(2026, 0, 31)), secure: false }, idle: '400d' },
  { cookie: { ...LONG, sameSite: 'strict', maxAge: 400 * DAY_S }, idle: '400d' },
  { cookieName: '__Host-session' },
  { cookieName: 'a', cookie: { httpOnly: false, sameSite: false, secure: false } },
  { cookieName: NAME, cookie: LONG, persistent: true, absolute: '400d' }
]
const OWN: ReadonlyArray<CookieOptions & { persistent?: boolean, idle?: string | number, absolute?: string }> = [
  {},
  { persistent: true },
  { persistent: false },
  { maxAge: 400 * DAY_S },
  { idle: 9, absolute: '400d', persistent: true },
  { maxAge: 400 * DAY_S, absolute: '400d', path: PATH, sameSite: 'strict', priority: 'medium' },
  { expires: new Date(Date.UTC(2026, 5, 1)) },
  { path: PATH, priority: 'medium' },
  { sameSite: 'none', secure: true, partitioned: true }
]

interface Answer {
  readonly lines: readonly string[]
  /** Of FST_SESSION_TOO_LARGE. */
  readonly limit: number | null
}

/** An app that takes what is said of its one session from the query, and tells what it could not hold. */
async function appOf (t: Test, options: Options): Promise<TestApp> {
  const app = await appOfSizes(t, options, { trustProxy: true })
  app.setErrorHandler((error: Error & { limit?: number }, _request, reply) => {
    reply.code(500).send({ limit: error.limit ?? null, message: error.message })
  })
  app.get('/own/:number/:bytes', async ({ session, params }) => {
    const { number, bytes } = params as { number: string, bytes: string }
    session.options(OWN[Number(number)] as CookieOptions)
    session.set('text', 'x'.repeat(Number(bytes)))
    return {}
  })
  return app
}

async function ask (app: TestApp, url: string, isTls: boolean, cookie = ''): Promise<Answer> {
  const proto = { 'x-forwarded-proto': isTls ? 'https' : 'http' }
  const response = await app.inject({ url, headers: cookie === '' ? proto : { ...proto, cookie } })
  return { lines: setCookies(response), limit: response.statusCode === 200 ? null : response.json().limit }
}

/** The most bytes of text that such a session holds, found by halves. */
async function mostBytes (app: TestApp, own: number, isTls: boolean): Promise<number> {
  let [fits, tooMany] = [0, 10_000]
  while (tooMany - fits > 1) {
    const bytes = Math.floor((fits + tooMany) / 2)
    if ((await ask(app, `/own/${own}/${bytes}`, isTls)).lines.length > 0) fits = bytes
    else tooMany = bytes
  }
  return fits
}

/** How long a line would be over TLS and with the longest lifetime. */
function longest (line: string, isAlwaysOpen: boolean): number {
  const reserved = line.includes('; Secure') || isAlwaysOpen ? 0 : '; Secure'.length
  return line.length + reserved + LONGEST_MAX_AGE.length - (/; Max-Age=\d+/.exec(line)?.[0].length ?? 0)
}

for (const maxCookies of [1, 2, 3] as const) {
  for (const [number, options] of CONFIGURED.entries()) {
    t.test(`a full session has lines of 4093 bytes: maxCookies ${maxCookies}, configuration ${number}`, async t => {
      const clock = fakeClock(t)
      const cookie = options.cookie as CookieOptions | undefined
      const app = await appOf(t, { ...options, maxCookies })
      for (const own of OWN.keys()) {
        if (options.cookieName?.startsWith('__Host-') === true && OWN[own]?.path !== undefined) continue
        const isTls = own % 2 === 0
        const bytes = await mostBytes(app, own, isTls)
        const { lines } = await ask(app, `/own/${own}/${bytes}`, isTls)
        t.equal(lines.length, maxCookies)
        const lengths = lines.map(({ length }) => length)
        t.ok(Math.max(...lengths) <= LINE, `${lengths}`)
        const isAlwaysOpen = cookie?.secure === false && OWN[own]?.secure === undefined
        // Expires is left out where the session itself says how long its cookie lasts.
        const isLeftOut = cookie?.expires !== undefined && !lines.join().includes('; Expires=')
        const expires = isLeftOut ? '; Expires=Sat, 31 Jan 2026 00:00:00 GMT'.length : 0
        const filled = Math.max(...lines.map(line => longest(line, isAlwaysOpen))) + expires
        t.ok(filled === LINE || filled === LINE - 1, `${filled}: three bytes make four characters`)

        const { limit } = await ask(app, `/own/${own}/${bytes + 1}`, isTls)
        const characters = lines.map(line => parseLine(line).value.length).reduce((sum, length) => sum + length)
        t.ok(limit !== null && characters <= limit && limit - characters < 3, `${characters} of ${limit}`)
        await checkOtherLines(t, app, lines, isTls, clock)
      }
    })
  }
}

/** The lines of a stamp, and those that clear. */
async function checkOtherLines (
  t: Test, app: TestApp, lines: readonly string[], isTls: boolean, clock: FakeClock
): Promise<void> {
  const browser = new Browser(app)
  for (const line of lines) browser.keep(line)
  clock.advance(8000)
  const stamped = await ask(app, '/size', isTls, browser.header)
  const cleared = await ask(app, '/delete', isTls, browser.header)
  t.ok([...stamped.lines, ...cleared.lines].every(({ length }) => length <= LINE))
  t.ok(cleared.lines.length >= lines.length)
}

t.test('the stamp of a session with the longest name and attributes fits as well', async t => {
  const clock = fakeClock(t)
  const options: Options = { cookieName: NAME, cookie: LONG, persistent: true, absolute: '400d' }
  const app = await appOf(t, options)
  const browser = new Browser(app)
  await browser.get('/fill/10')
  clock.advance(12 * 3_600_000)
  const [line] = setCookies(await browser.get('/size')) as [string]
  t.equal(parseLine(line).name, `${NAME}.t`)
  t.ok(line.length < LINE / 2 + 20, `${line.length}`)
})

t.test('attributes that leave no room for an empty session are refused at boot, with the sizes', async t => {
  const options = (domain: string): Options => {
    return { cookieName: 'n'.repeat(190), padTo: 2048, cookie: { path: PATH, domain } }
  }
  await t.rejects(appOf(t, options(DOMAIN)), {
    code: 'FST_SESSION_INVALID_OPTION',
    message: / cookie: the attributes take 1343 bytes of each Set-Cookie line and leave 2559 for .* needs 2792/
  })
  await t.resolves(appOf(t, options('example.com')))
  await t.resolves(appOf(t, { ...options(DOMAIN), maxCookies: 2 }))
})

t.test('session.options() that leaves no room throws at the call, and the session is unchanged', async t => {
  const app = await appOfSizes(t, { cookieName: 'n'.repeat(190), padTo: 2048, cookie: { path: PATH } })
  app.get('/domain', async ({ session }) => {
    try {
      session.options({ domain: DOMAIN })
      return {}
    } catch (error) {
      const { code, message } = error as Error & { code: string }
      return { code, message, changed: session.changed }
    }
  })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  t.match(await browser.json('/domain'), {
    code: 'FST_SESSION_INVALID_OPTION', message: /session\.options\(\): the attributes take 1343 bytes/, changed: false
  })
  t.strictSame(await browser.json('/get'), { user: 'ada' })
})

t.test('what fits does not depend on the protocol of a request or on the remaining lifetime', async t => {
  const clock = fakeClock(t)
  const app = await appOf(t, { persistent: true, absolute: '100d', idle: '100d' })
  const sizes = new Set<number>()
  for (const isTls of [true, false]) {
    sizes.add(await mostBytes(app, 0, isTls))
    clock.advance(99 * DAY_S * 1000)
  }
  t.equal(sizes.size, 1)
})

t.test('outside a request, the limit is that of the session with its own attributes', async t => {
  const app = await appOf(t, {})
  const limitOf = (path: string): number => {
    const session = app.createSecureSession({ text: 'x'.repeat(4000) } as never)
    session.options({ path })
    try {
      app.encodeSecureSession(session)
      return Infinity
    } catch (error) {
      return (error as { limit: number }).limit
    }
  }
  t.equal(limitOf('/'), 4027)
  t.equal(limitOf(PATH), 4027 - 1023)
})
