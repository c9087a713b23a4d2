import type { FastifyServerOptions } from 'fastify'
import t from 'tap'
import secureSession from '../../index'
import { appWith, KEY, WARN } from '../helpers/app'
import { Browser, parseLine, setCookies } from '../helpers/browser'
import { appOfSizes, bytesFor, BYTES, filled, LINE, ONE, sizeIn, THREE, TWO } from './sized'

t.test('a session that fits in one cookie stays in one, for every maxCookies', async t => {
  const app = await appOfSizes(t)
  const browser = new Browser(app)
  const response = await browser.get(`/fill/${BYTES.one}`)
  t.equal(setCookies(response).length, 1)
  t.strictSame([...browser.cookies.keys()], ['session'])
  t.equal(await sizeIn(browser), BYTES.one)
})

for (const [count, bytes] of [[2, BYTES.two], [3, BYTES.three]] as const) {
  t.test(`a session that does not fit in one cookie is split over ${count}, and is read back unchanged`, async t => {
    const app = await appOfSizes(t)
    const browser = new Browser(app)
    const lines = setCookies(await browser.get(`/fill/${bytes}`)).map(parseLine)
    t.strictSame(lines.map(({ name }) => name), ['session', 'session.1', 'session.2'].slice(0, count))
    const lengths = lines.map(({ value }) => value.length)
    t.equal(new Set(lengths.slice(0, -1)).size, 1, 'all have the same length')
    t.ok(lengths[0]! - lengths.at(-1)! < count, 'but the last, which may be shorter by what does not divide')
    t.equal(new Set(lines.map(({ attributes }) => attributes)).size, 1)
    t.equal(await sizeIn(browser), bytes)
    await browser.get('/set/more/1')
    t.match(await browser.json('/get'), { more: '1', text: String })
  })
}

t.test('over real HTTP, Node.js accepts three full cookies by default', async t => {
  const app = await appOfSizes(t)
  const bytes = bytesFor(app, THREE)
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const cookie = (await fetch(`${address}/fill/${bytes}`)).headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
  t.equal(cookie.length, THREE + 'session=session.1=session.2='.length + 4)
  t.strictSame(await (await fetch(`${address}/size`, { headers: { cookie } })).json(), { size: bytes })
})

for (const [maxCookies, most] of [[1, ONE], [2, TWO], [3, THREE]] as const) {
  t.test(`with maxCookies ${maxCookies} the last character that fits is kept, and the next is refused`, async t => {
    const app = await appOfSizes(t, { maxCookies })
    const bytes = bytesFor(await appOfSizes(t), most)
    const browser = await filled(app, bytes)
    t.equal([...browser.cookies.values()].join('').length, most)
    t.equal(browser.cookies.size, maxCookies)
    const before = new Map(browser.cookies)

    const response = await browser.get(`/fill/${bytes + 1}`)
    t.equal(response.statusCode, 500)
    t.equal(response.json().code, 'FST_SESSION_TOO_LARGE')
    t.equal(response.headers['set-cookie'], undefined)
    t.strictSame(browser.cookies, before)
    t.equal(await sizeIn(browser), bytes, 'the old cookies stay good')
  })
}

t.test('one character more than a number of cookies can hold takes one cookie more', async t => {
  const app = await appOfSizes(t)
  const expected = [
    [ONE + 1, [2014, 2014]], [ONE + 4, [2016, 2015]],
    [TWO + 1, [2684, 2684, 2683]], [TWO + 2, [2684, 2684, 2684]], [TWO + 4, [2685, 2685, 2684]]
  ] as const
  for (const [characters, lengths] of expected) {
    const browser = await filled(app, bytesFor(app, characters))
    t.strictSame([...browser.cookies.values()].map(({ length }) => length), lengths)
    t.not(await sizeIn(browser), null)
  }
})

t.test('the error for a session that is too large has its size, the limit, and the largest keys', async t => {
  const app = await appOfSizes(t, { maxCookies: 2 })
  const session = app.createSecureSession({ tokens: 'x'.repeat(9000), name: 'ada', cart: [1, 2, 3], id: 1 })
  t.throws(() => app.encodeSecureSession(session), {
    code: 'FST_SESSION_TOO_LARGE',
    statusCode: 500,
    bytes: 12167,
    limit: TWO,
    largest: [{ key: 'tokens', bytes: 9002 }, { key: 'cart', bytes: 7 }, { key: 'name', bytes: 5 }]
  })
})

t.test('from 80 % of the size of all its cookies, one warning is logged', async t => {
  const app = await appOfSizes(t, { maxCookies: 2 })
  const browser = new Browser(app)
  const warnings = (): unknown[] => app.lines.filter(({ level }) => level === WARN)
  await browser.get(`/fill/${bytesFor(app, ONE)}`)
  t.strictSame(warnings(), [], 'all of the first is half of both')
  for (let time = 0; time < 2; time++) await browser.get(`/fill/${bytesFor(app, Math.floor(TWO * 0.9) - 1)}`)
  t.match(warnings(), [{ cookie: 'session', limit: TWO }])
  t.equal(warnings().length, 1)
})

t.test('two sessions cannot share a cookie name, and a legacy cookie cannot be a part', async t => {
  const other = { key: KEY, sessionName: 'other', cookieName: 'session.1' }
  const legacy = [secureSession.sealedOpener({ cookieName: 'session.1' })]
  const third = { ...other, cookieName: 'session.2' }
  const split = { key: KEY, maxCookies: 2 } as const
  for (const options of [[split, other], [split, third], { ...split, legacy }]) {
    await t.rejects(appWith(t, options as secureSession.Options), { code: 'FST_SESSION_INVALID_OPTION' })
  }
  for (const options of [[{ key: KEY }, other], { key: KEY, legacy }] as const) await t.resolves(appWith(t, options as secureSession.Options))
})

t.test('boot warns if sessions may exceed the header size that Node.js accepts', async t => {
  const boot = async (counts: readonly number[], http = {}): Promise<unknown[]> => {
    const options = counts.map((maxCookies, number) => ({ key: KEY, sessionName: `session${number}`, maxCookies }))
    return (await appWith(t, options as secureSession.Options, { http } as FastifyServerOptions)).lines.filter(({ level }) => level === WARN)
  }
  for (const counts of [[1, 1, 1, 1, 1], [3], [3, 1]]) t.strictSame(await boot(counts), [])
  t.match(await boot([2, 2]), [{ bytes: 4 * LINE, limit: 16384 }])
  t.match(await boot([3], { maxHeaderSize: 8192 }), [{ bytes: 3 * LINE, limit: 8192 }])
  t.strictSame(await boot([3, 3], { maxHeaderSize: 32768 }), [])
})
