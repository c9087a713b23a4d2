import fastify from 'fastify'
import { existsSync } from 'node:fs'
import { maxHeaderSize } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { addRoutes, bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser, parseLine, setCookies } from '../helpers/browser'
import { NGINX_COOKIES, NGINX_REQUEST_LINE, NGINX_RESPONSE_HEAD, NODE_HEADERS } from '../helpers/budget'
import { fakeClock } from '../helpers/clock'
import { runSnippet } from '../helpers/snippet'
import { addFilling, appOfSizes, bytesFor, BYTES, ONE, sizeIn, THREE, TWO } from '../splitting/sized'
import { pageOf, ROOT } from './page'

const { PAGE, blocks, block } = pageOf('cookies.md')

const SOURCES = [
  'docs.aws.amazon.com', 'developers.cloudflare.com', 'docs.devexpress.com', 'www.rfc-editor.org', 'github.com'
]

/** An app as a block of the page registers it. */
function appOf (t: Test, text: string): TestApp {
  const app = bareApp(t)
  runSnippet(block(t, 'js', text), { app, secureSession, sealedOpener: secureSession.sealedOpener, process: { env: { SESSION_KEY: KEY.toString('base64') } } })
  app.after(() => {
    addRoutes(app)
    addFilling(app)
  })
  return app
}

/** A row of a table, by the text of its first cell. */
function row (first: string): string[] {
  return (PAGE.split('\n').find(line => line.startsWith(`| ${first} |`)) as string).split(' | ').slice(1)
}

t.test('docs/cookies.md: the first block sets what production needs', async t => {
  const [line] = setCookies(await appOf(t, "'__Host-session' })").inject('/set/a/1')) as [string]
  t.match(parseLine(line), { name: '__Host-session', attributes: '; Path=/; HttpOnly; Secure; SameSite=Lax' })
})

t.test('docs/cookies.md: limits are configured, and a persistent cookie lives to the absolute end', async t => {
  fakeClock(t)
  const app = appOf(t, "absolute: '12h'")
  t.match(setCookies(await app.inject('/set/a/1')), [/; Max-Age=43200;/])
  const { createdAt, expiresAt } = (await app.inject('/info')).json()
  t.equal(expiresAt - createdAt, 2 * 3_600_000)
})

t.test('docs/cookies.md: a login is remembered if the user asks for it, and a poll does not renew it', async t => {
  const clock = fakeClock(t)
  const app = bareApp(t)
  app.register(secureSession, { key: KEY })
  const scope = { app, authenticate: async (body: object) => body }
  app.after(() => {
    for (const text of ['authenticate(', '/notifications']) runSnippet(block(t, 'js', text), scope)
  })
  const browser = new Browser(app)
  const logIn = async (payload: object): Promise<string[]> =>
    setCookies(await browser.get('/login', { method: 'POST', payload }))
  t.match(await logIn({ id: 17, remember: true }), [/; Max-Age=7776000;/])
  t.notMatch((await logIn({ id: 18, remember: false }))[0], /Max-Age/, 'the next user did not say so')
  clock.advance(86_400_000 - 1)
  const poll = await browser.get('/notifications')
  t.strictSame([poll.json(), setCookies(poll)], [{ user: { id: 18 } }, []])
  clock.advance(1)
  t.strictSame(await browser.json('/notifications'), { user: null })
})

t.test('docs/cookies.md: with maxCookies a larger session is split', async t => {
  const browser = new Browser(appOf(t, 'maxCookies: 2'))
  await browser.get(`/fill/${BYTES.two}`)
  t.strictSame([...browser.cookies.keys()], ['__Host-session', '__Host-session.1'])
  t.equal(await sizeIn(browser), BYTES.two)
})

t.test('docs/cookies.md: a logout also clears cookies at the old path', async t => {
  const old = bareApp(t)
  old.register(secureSession, { key: KEY, cookie: { path: '/app' } })
  old.after(() => { addRoutes(old) })
  const browser = new Browser(old)
  await browser.get('/set/user/ada')
  const lines = setCookies(await browser.copy(appOf(t, "path: '/app'")).get('/delete')).map(parseLine)
  t.ok(lines.some(({ name, attributes }) => name === 'session' && attributes.includes('Path=/app') && attributes.includes('Max-Age=0')))
})

t.test('docs/cookies.md: the blocks for a trusted proxy and for larger headers work', async t => {
  const trusting = runSnippet(block(t, 'js', 'trustProxy'), { fastify }, 'app')
  const roomy = runSnippet(block(t, 'js', 'maxHeaderSize'), { fastify }, 'app')
  for (const app of [trusting, roomy]) {
    t.teardown(() => app.close())
    app.get('/', async ({ protocol, headers }: { protocol: string, headers: Record<string, string> }) => ({ protocol, bytes: headers['x-other']?.length }))
    app.address = await app.listen({ port: 0, host: '127.0.0.1' })
  }
  t.match(await (await fetch(trusting.address, { headers: { 'x-forwarded-proto': 'https' } })).json(), { protocol: 'https' })
  const headers = { 'x-other': 'x'.repeat(NODE_HEADERS) }
  t.equal((await fetch(trusting.address, { headers })).status, 431)
  t.match(await (await fetch(roomy.address, { headers })).json(), { bytes: NODE_HEADERS })
})

t.test('docs/cookies.md: the header budget has the limits of Node.js and of the nginx tests', async t => {
  t.equal(maxHeaderSize, NODE_HEADERS)
  t.match(row('Node.js'), [`${NODE_HEADERS / 1024} KB for all headers of a request`, '431', '`maxHeaderSize`'])
  t.match(row('nginx, request'), [`${NGINX_REQUEST_LINE / 1024} KB for one line, so ${NGINX_COOKIES} bytes of cookies`, '400'])
  t.match(row('nginx, response'), [new RegExp(`^${NGINX_RESPONSE_HEAD / 1024} KB or `), '502'])
})

t.test('docs/cookies.md: the sizes for one, two and three cookies are correct', async t => {
  const app = await appOfSizes(t)
  for (const [count, most] of [[1, ONE], [2, TWO], [3, THREE]] as const) {
    const bytes = bytesFor(app, most)
    const [json, header] = row(String(count)).map(cell => Number(/[\d,]+/.exec(cell)?.[0].replace(',', ''))) as [number, number]
    const fits = JSON.stringify({ text: 'x'.repeat(bytes) }).length
    t.ok(json <= fits && fits < json + 100, `${fits} bytes, about ${json}`)
    const browser = new Browser(app)
    await browser.get(`/fill/${bytes}`)
    t.equal(browser.header.length, header)
  }
  const left = NGINX_COOKIES - (TWO + 'session=session.1='.length + 2)
  t.equal(left, Number(/Two full cookies leave (\d+) bytes/.exec(PAGE)?.[1]))
})

t.test('docs/cookies.md: every link has a target', async t => {
  const links = Array.from(PAGE.matchAll(/\]\(([^)]+)\)|^\[\w+\]: (\S+)$/gm), ([, inline, reference]) => (inline ?? reference) as string)
  const anchors = Array.from(PAGE.matchAll(/^#+ (.*)$/gm), ([, heading]) => (heading as string).toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'))
  for (const link of links) {
    if (link.startsWith('#')) t.ok(anchors.includes(link.slice(1)), link)
    else if (link.startsWith('https://')) t.ok(SOURCES.includes(new URL(link).hostname), link)
    else t.ok(existsSync(join(ROOT, 'docs', link)), link)
  }
})

t.test('docs/cookies.md: every block of code is run by a test, here or with a real nginx', async t => {
  t.equal(blocks('js').length, 8)
  t.equal(blocks('nginx').length, 1)
  t.equal(PAGE.match(/^```\w+$/gm)?.length, 9)
})
