import { connect } from 'node:http2'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { cookieValues, withoutCookies } from '../../lib/cookies/header'
import { addRoutes, appWith, KEY, OTHER_KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'

const { sealedOpener, secureSessionOpener } = secureSession

/** Two sessions, of which one has two old cookies. */
async function site (t: Test): Promise<TestApp> {
  const legacy = [sealedOpener({ cookieName: 'session' }), secureSessionOpener({ cookieName: 'peer', key: OTHER_KEY })]
  return await appWith(t, [
    { key: KEY, cookieName: '__Host-s', legacy },
    { key: KEY, sessionName: 'admin' }
  ])
}

t.test('stripCookies removes the cookies of all sessions, and keeps others byte for byte', async t => {
  const { secureSession: { stripCookies } } = await site(t)
  const headers: Array<[header: string | string[] | null | undefined, left: string | undefined]> = [
    ['__Host-s=x', undefined],
    ['a=1', 'a=1'],
    ['a=1; __Host-s=x; b=2', 'a=1; b=2'],
    ['__Host-s=x; a=1', 'a=1'],
    ['a=1; __Host-s=x', 'a=1'],
    ['a=1;__Host-s=x;b=2', 'a=1;b=2'],
    ['__Host-s=x; __Host-s.1=x; __Host-s.2=x; __Host-s.t=x; a=1', 'a=1'],
    ['session=x; session.1=x; session.2=x; session.t=x; a=1', 'a=1'],
    ['peer=x; a=1; admin=x; admin.t=x', 'a=1'],
    // Of another library's cookie there is one alone.
    ['peer.1=x; peer.t=x', 'peer.1=x; peer.t=x'],
    ['__Host-s=x; __Host-s=y; a=1', 'a=1'],
    // White space around a name.
    [' __Host-s=x;\t__Host-s =x; \u00a0__Host-s=x; a=1', 'a=1'],
    // Values with anything in them.
    ['a="1; __Host-s=x"; b==; c=%3B%20; d', 'a="1; b==; c=%3B%20; d'],
    ['__Host-s', '__Host-s'],
    ['=__Host-s=x', '=__Host-s=x'],
    ['  a=1 ;  b=2  ', '  a=1 ;  b=2  '],
    ['', undefined],
    [' ; ;', undefined],
    ['__Host-s=x; ;', undefined],
    [undefined, undefined],
    [null, undefined],
    [[], undefined],
    [['a=1', '__Host-s=x', 'b=2; peer=x'], 'a=1; b=2']
  ]
  const alike = '__Host-s2=1; x__Host-s=1; __Host-s.3=1; __host-s=1; sessions=1; a=session'
  headers.push([alike, alike])
  for (const [header, left] of headers) t.equal(stripCookies(header), left, JSON.stringify(header))
})

t.test('stripCookies removes the cookies of sessions in other scopes, too', async t => {
  const app = await appWith(t)
  const stripped: Record<string, unknown> = {}
  for (const name of ['one', 'two']) {
    app.register(async scope => {
      await scope.register(secureSession, { key: KEY, sessionName: name })
      app.addHook('onReady', async () => {
        stripped[name] = scope.secureSession.stripCookies('session=x; one=x; two=x; a=1')
      })
    })
  }
  await app.ready()
  t.strictSame(stripped, { one: 'a=1', two: 'a=1' })
  t.equal(app.secureSession.stripCookies('session=x; one=x; two.t=x; a=1'), 'a=1')
  t.equal(app.secureSession.stripCookies('session=x; one=x; a=1', 'session'), 'one=x; a=1')
})

t.test('stripCookies with a name removes only the cookies of that session', async t => {
  const { secureSession: { stripCookies } } = await site(t)
  t.equal(stripCookies('__Host-s=x; session=x; peer=x; admin=x; admin.t=x', 'admin'), '__Host-s=x; session=x; peer=x')
  t.equal(stripCookies('__Host-s=x; session=x; peer=x; admin=x; admin.t=x', 'session'), 'admin=x; admin.t=x')
  t.throws(() => stripCookies('a=1', 'nobody'), { code: 'FST_SESSION_UNKNOWN_NAME' })
})

t.test('stripCookies throws for a value that is not a header', async t => {
  const { secureSession: { stripCookies } } = await site(t)
  for (const wrong of [1, {}, true, [1], [null], () => {}]) {
    t.throws(() => stripCookies(wrong as never), { code: 'FST_SESSION_INVALID_OPTION' })
  }
})

t.test('for random headers, stripCookies leaves no session and loses no other cookie', async t => {
  const { secureSession: { stripCookies } } = await site(t)
  const names = ['__Host-s', '__Host-s.1', '__Host-s.t', 'session', 'session.2', 'session.t', 'admin', 'admin.t', 'peer']
  const signs = ['.1', '.t', '=', ';', ' ', '\t', '; ', '"', ',', '%', '\u00ff']
  const pieces = ['__Host-s', 'session', 'admin', 'peer', ...signs, 'a', 'b=2', 'x'.repeat(50)]
  for (let round = 0; round < 3000; round++) {
    const header = Array.from({ length: round % 20 }, () => pieces[Math.floor(Math.random() * pieces.length)]).join('')
    const left = stripCookies(header) ?? ''
    const isHidden = names.every(name => cookieValues(left, name).length === 0)
    const valuesIn = (text: string): string => JSON.stringify(['a', 'b', 'x'].map(name => cookieValues(text, name)))
    const isWhole = valuesIn(header) === valuesIn(left)
    if (!isHidden || !isWhole || stripCookies(left) !== (left === '' ? undefined : left)) t.fail(JSON.stringify(header))
  }
})

t.test('the header that stripCookies leaves of a real browser logs no user in', async t => {
  const app = await appWith(t, { key: KEY, maxCookies: 2 })
  addRoutes(app)
  app.get('/fill', async ({ session }) => { session.set('text', 'x'.repeat(4000)); return {} })
  const browser = new Browser(app)
  await browser.get('/fill')
  browser.cookies.set('theme', 'dark')
  t.equal(browser.cookies.size, 3)
  t.equal(app.secureSession.stripCookies(browser.header), 'theme=dark')
})

t.test('stripCookies works over HTTP/2, where each cookie may be a field of its own', async t => {
  const app = await appWith(t, { key: KEY }, { http2: true } as object)
  app.get('/', async ({ headers }) => ({ left: app.secureSession.stripCookies(headers.cookie) }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const client = connect(`http://127.0.0.1:${(app.server.address() as { port: number }).port}`)
  t.teardown(() => { client.close() })
  const stream = client.request({ ':path': '/', cookie: ['a=1', 'session=x', 'b=2'] as never })
  let body = ''
  for await (const chunk of stream.setEncoding('utf8')) body += chunk as string
  t.strictSame(JSON.parse(body), { left: 'a=1; b=2' })
})

t.test('all white space in front of the first cookie that stays is removed', async t => {
  t.equal(withoutCookies('session=x; \t  b=2;  c=3', new Set(['session'])), 'b=2;  c=3')
})

t.test('a pair without an equals sign stays, whatever it begins with', async t => {
  for (const name of ['session', 'a']) {
    for (const pair of [name, `${name}x`]) t.equal(withoutCookies(`${pair}; b=2`, new Set([name])), `${pair}; b=2`)
    t.equal(withoutCookies(`${name}=x; b=2`, new Set([name])), 'b=2')
  }
})
