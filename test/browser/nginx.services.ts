import { execFileSync } from 'node:child_process'
import type { FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import { pageOf } from '../docs/page'
import type { TestApp } from '../helpers/app'
import { NGINX_COOKIES, NGINX_RESPONSE_HEAD, NODE_HEADERS } from '../helpers/budget'
import { nginxBefore, type NginxOptions } from '../helpers/nginx'
import { appOfSizes, bytesFor, BYTES, ONE, THREE, TWO } from '../splitting/sized'
import { ask, Visitor } from './visitor'

/** How large a session may be before a real nginx, in front of real servers: the header budget of docs/cookies.md. */

const FULL = { 1: ONE, 2: TWO, 3: THREE } as const
const PAGE_LINES = pageOf('cookies.md').blocks('nginx')[0] as string
const isOtherPlatform = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })) !== NGINX_RESPONSE_HEAD && 'nginx has another default on this platform'

interface World {
  readonly app: TestApp
  /** The way past nginx. */
  readonly direct: string
  readonly address: string
  complaints (): string
}

async function world (t: Test, nginx: Partial<NginxOptions> = {}, server: FastifyServerOptions = {}): Promise<World> {
  const app = await appOfSizes(t, { maxCookies: 3 }, server)
  // Whatever else an app sends, of any size.
  app.addHook('onRequest', async ({ headers }, reply) => {
    if (headers['x-more'] !== undefined) reply.header('x-more', 'm'.repeat(Number(headers['x-more'])))
  })
  const direct = await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, direct, ...await nginxBefore(t, { upstream: direct, ...nginx }) }
}

/** Somebody who was logged in past nginx, with cookies that are full. */
async function visitorWith ({ app, direct, address }: World, count: 1 | 2 | 3): Promise<Visitor> {
  const visitor = new Visitor(direct)
  await visitor.get(`/fill/${bytesFor(app, FULL[count])}`)
  return visitor.at(address)
}

t.test('a session of one cookie passes in both directions with the defaults of nginx', async t => {
  const { address } = await world(t)
  const visitor = new Visitor(address)
  t.equal((await visitor.get(`/fill/${BYTES.one}`)).status, 200)
  t.strictSame(await visitor.json('/size'), { size: BYTES.one })
})

t.test('nginx answers 502 if the head of a response is larger than a memory page', { skip: isOtherPlatform }, async t => {
  const { address, direct, complaints } = await world(t)
  const head = async (more: number, at: string): ReturnType<typeof ask> => await ask(`${at}/fill/2000`, { headers: { 'x-more': String(more) } })
  const whole = NGINX_RESPONSE_HEAD - (await head(0, direct)).headBytes
  t.equal((await head(whole, direct)).headBytes, NGINX_RESPONSE_HEAD)
  // Where head and buffer are of one size, nginx 1.22 passes the head on and loses the body.
  t.match(await head(whole - 1, address), { status: 200, lines: [/^session=/], body: Buffer.from('{}') })
  t.match(await head(whole + 1, address), { status: 502, lines: { length: 0 } })
  t.match(complaints(), /upstream sent too big header/)
})

t.test('with the defaults of nginx a full cookie can be read and not set', { skip: isOtherPlatform }, async t => {
  const nginx = await world(t)
  const visitor = await visitorWith(nginx, 1)
  const size = bytesFor(nginx.app, FULL[1])
  t.strictSame(await visitor.json('/size'), { size })
  const before = new Map(visitor.cookies)
  t.equal((await visitor.get('/set/a/1')).status, 502)
  t.equal((await visitor.get(`/fill/${size - 1}`)).status, 502)
  t.strictSame(visitor.cookies, before)
  t.strictSame(await visitor.json('/size'), { size }, 'the session that was there stays good')
})

for (const [count, bufferSize] of [[1, '8k'], [2, '12k'], [3, '14k']] as const) {
  t.test(`${count} full cookies can be set with proxy_buffer_size ${bufferSize}, complete and in order`, async t => {
    const { app, address } = await world(t, { location: `proxy_buffer_size ${bufferSize};` })
    const { status, lines } = await new Visitor(address).get(`/fill/${bytesFor(app, FULL[count])}`)
    t.equal(status, 200)
    t.strictSame(lines.map(line => line.split('=')[0]), ['session', 'session.1', 'session.2'].slice(0, count))
    for (const line of lines) t.match(line, /^[^=]+=[\w-]{4025,4027}; Path=\/; HttpOnly; SameSite=Lax$/)
  })
}

t.test('with the two lines of docs/cookies.md, one, two and three full cookies pass in both directions', async t => {
  const { app, address } = await world(t, { server: PAGE_LINES })
  for (const count of [1, 2, 3] as const) {
    const size = bytesFor(app, FULL[count])
    const visitor = new Visitor(address)
    t.equal((await visitor.get(`/fill/${size}`)).lines.length, count)
    t.strictSame(await visitor.json('/size'), { size })
  }
})

t.test('nginx does not start with proxy_buffer_size 16k alone', { skip: isOtherPlatform }, async t => {
  await t.rejects(world(t, { location: 'proxy_buffer_size 16k;' }), /proxy_busy_buffers_size/)
  await t.resolves(world(t, { location: 'proxy_buffer_size 16k; proxy_buffers 8 16k;' }))
})

t.test('the Cookie header may fill one line of 8 KB, and beyond that nginx answers 400', async t => {
  const { address } = await world(t)
  t.equal((await ask(`${address}/size`, { headers: { cookie: 'x'.repeat(NGINX_COOKIES) } })).status, 200)
  const { status, body } = await ask(`${address}/size`, { headers: { cookie: 'x'.repeat(NGINX_COOKIES + 1) } })
  t.equal(status, 400)
  t.match(body.toString(), 'Request Header Or Cookie Too Large')
})

t.test('two full cookies pass by default and three do not; with a longer line the session is back', async t => {
  const nginx = await world(t)
  const two = await visitorWith(nginx, 2)
  t.equal(two.cookies.size, 2)
  t.strictSame(await two.json('/size'), { size: bytesFor(nginx.app, FULL[2]) })
  const wide = await nginxBefore(t, { upstream: nginx.direct, server: 'large_client_header_buffers 4 16k;' })
  const three = await visitorWith(nginx, 3)
  const { status, lines } = await three.get('/size')
  t.strictSame([status, lines, three.cookies.size], [400, [], 3])
  t.strictSame(await three.at(wide.address).json('/size'), { size: bytesFor(nginx.app, FULL[3]) })
})

t.test('beyond 16 KB of headers Node.js answers 431 through nginx; maxHeaderSize raises this limit', async t => {
  const nginx = { server: 'large_client_header_buffers 4 32k; proxy_buffer_size 14k;' }
  const [plain, raised] = [await world(t, nginx), await world(t, nginx, { http: { maxHeaderSize: 2 * NODE_HEADERS } } as FastifyServerOptions)]
  const visitor = await visitorWith(plain, 3)
  const size = bytesFor(plain.app, FULL[3])
  const more = { 'x-other': 'x'.repeat(NODE_HEADERS - visitor.header.length) }
  const { status, lines } = await visitor.get('/size', more)
  t.strictSame([status, lines, visitor.cookies.size], [431, [], 3])
  t.strictSame(await visitor.json('/size'), { size }, 'without what was too much')
  const answer = await visitor.at(raised.address).get('/size', more)
  t.strictSame(JSON.parse(answer.body.toString()), { size })
})
