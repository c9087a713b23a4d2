import { gunzipSync } from 'node:zlib'
import type { FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import type secureSession from '../../index'
import { addRoutes, appWith, KEY, WARN, type TestApp } from '../helpers/app'
import { certificateFor } from '../helpers/certificate'
import { nginxBefore, type NginxOptions } from '../helpers/nginx'
import { addFilling, BYTES } from '../splitting/sized'
import { Visitor } from './visitor'

/** What a real nginx makes of our responses: as a cache, as the end of TLS, and with connections and bytes that it saves. */

const CACHE = {
  http: 'proxy_cache_path FOLDER/cache keys_zone=all:1m;',
  location: 'proxy_cache all; proxy_cache_valid 200 1m; add_header X-Cache $upstream_cache_status;'
}

interface World {
  readonly app: TestApp
  readonly address: string
  /** What the log warned of. */
  warnings (): string[]
}

async function world (t: Test, nginx: Partial<NginxOptions> = {}, options: Partial<secureSession.SessionOptions> = {}, server: FastifyServerOptions = {}): Promise<World> {
  const app = await appWith(t, { key: KEY, ...options }, server)
  addRoutes(app)
  addFilling(app)
  app.get('/login/:user', async ({ session, params }, reply) => {
    session.set('user', (params as { user: string }).user)
    reply.header('cache-control', 'public, max-age=60')
    return {}
  })
  const upstream = await app.listen({ host: '127.0.0.1', port: 0 })
  const { address } = await nginxBefore(t, { upstream, ...nginx })
  return { app, address, warnings: () => app.lines.filter(({ level }) => level === WARN).map(({ msg }) => msg) }
}

/** What they see, and whether it came from the cache. */
async function seen (visitor: Visitor, path: string): Promise<[string, unknown]> {
  const { body, headers } = await visitor.get(path)
  return [body.toString(), headers['x-cache']]
}

async function users (address: string): Promise<[Visitor, Visitor]> {
  const [ada, bob] = [new Visitor(address), new Visitor(address)]
  await ada.get('/set/user/ada')
  await bob.get('/set/user/bob')
  return [ada, bob]
}

t.test('nginx caches a page that read a session for that user alone', async t => {
  const { address } = await world(t, CACHE)
  const [ada, bob] = await users(address)
  t.strictSame(await seen(ada, '/get'), ['{"user":"ada"}', 'MISS'])
  t.strictSame(await seen(bob, '/get'), ['{"user":"bob"}', 'MISS'])
  t.strictSame(await seen(new Visitor(address), '/get'), ['{}', 'MISS'])
  t.strictSame(await seen(bob, '/get'), ['{"user":"bob"}', 'HIT'])
  await ada.get('/delete')
  t.strictSame((await seen(ada, '/get'))[0], '{}')
})

t.test('an nginx that ignores Vary sends such a page to the next user', async t => {
  const { address } = await world(t, { ...CACHE, location: `${CACHE.location} proxy_ignore_headers Vary;` })
  const [ada, bob] = await users(address)
  t.strictSame(await seen(ada, '/get'), ['{"user":"ada"}', 'MISS'])
  t.strictSame(await seen(bob, '/get'), ['{"user":"ada"}', 'HIT'])
})

t.test('with cacheControl: false and no headers of the app, nginx sends a page to the next user', async t => {
  const { address } = await world(t, CACHE, { cacheControl: false })
  const [ada, bob] = await users(address)
  t.strictSame(await seen(ada, '/get'), ['{"user":"ada"}', 'MISS'])
  t.strictSame(await seen(bob, '/get'), ['{"user":"ada"}', 'HIT'])
})

for (const [told, more] of [['as it is', ''], ['told to ignore Set-Cookie', 'proxy_ignore_headers Set-Cookie;']] as const) {
  t.test(`a response that sets the cookie is not cached by an nginx ${told}`, async t => {
    const { address } = await world(t, { ...CACHE, location: CACHE.location + more })
    for (let time = 0; time < 2; time++) {
      const { lines, headers } = await new Visitor(address).get('/set/user/ada')
      t.strictSame([lines.length, headers['cache-control'], headers['x-cache']], [1, 'no-store', 'MISS'])
    }
  })
}

t.test('an nginx that ignores Set-Cookie sends a session to the next user if no-store is turned off', async t => {
  const { address } = await world(t, { ...CACHE, location: `${CACHE.location} proxy_ignore_headers Set-Cookie;` }, { cacheControl: false })
  const [ada, bob] = [new Visitor(address), new Visitor(address)]
  await ada.get('/set/user/ada')
  t.equal((await bob.get('/set/user/ada')).headers['x-cache'], 'HIT')
  t.equal(bob.header, ada.header)
})

t.test('if the route sets public, nginx does not cache a response with Set-Cookie, and the log warns once', async t => {
  const { address, warnings } = await world(t, CACHE)
  for (const user of ['ada', 'bob']) t.match(await new Visitor(address).get(`/login/${user}`), { lines: { length: 1 }, headers: { 'cache-control': 'public, max-age=60', 'x-cache': 'MISS' } })
  t.match(warnings(), [/shared caches/])
  t.equal(warnings().length, 1)
})

t.test('a page for which no session was read is cached for all', async t => {
  const { address } = await world(t, CACHE)
  const [ada, bob] = await users(address)
  t.strictSame(await seen(ada, '/untouched'), ['{"ok":true}', 'MISS'])
  t.strictSame(await seen(bob, '/untouched'), ['{"ok":true}', 'HIT'])
})

t.test('if TLS ends at nginx, the cookie has Secure if the app trusts it, or else the log warns once', async t => {
  const tls = certificateFor(['shop.test'])
  const nginx = { tls, location: 'proxy_set_header X-Forwarded-Proto $scheme;' }
  const trusting = await world(t, nginx, {}, { trustProxy: '127.0.0.1' })
  t.match((await new Visitor(trusting.address, tls.cert).get('/set/a/1')).lines, [/; Secure/])
  t.strictSame(trusting.warnings(), [])
  const wary = await world(t, nginx)
  for (let time = 0; time < 2; time++) t.notMatch((await new Visitor(wary.address, tls.cert).get('/set/a/1')).lines[0], /Secure/)
  t.match(wary.warnings(), [/trustProxy/])
  t.equal(wary.warnings().length, 1)
})

t.test('a split session passes a kept connection and gzip, complete and in order', async t => {
  const app = await appWith(t, { key: KEY, maxCookies: 3 })
  addRoutes(app)
  addFilling(app)
  let connections = 0
  app.server.on('connection', () => { connections++ })
  const { host } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const { address } = await nginxBefore(t, {
    upstream: 'http://app',
    http: `upstream app { server ${host}; keepalive 1; } gzip on; gzip_types application/json; gzip_proxied any;`,
    server: 'large_client_header_buffers 4 16k; proxy_buffer_size 14k;',
    location: 'proxy_http_version 1.1; proxy_set_header Connection "";'
  })
  const visitor = new Visitor(address)
  for (const bytes of [BYTES.three, BYTES.three + 1]) {
    t.match((await visitor.get(`/fill/${bytes}`)).lines, [/^session=/, /^session\.1=/, /^session\.2=/])
    t.strictSame(await visitor.json('/size'), { size: bytes })
  }
  const { headers, body } = await visitor.get('/get', { 'accept-encoding': 'gzip' })
  t.match(headers, { 'content-encoding': 'gzip', vary: 'Cookie' })
  t.equal(JSON.parse(gunzipSync(body).toString()).text.length, BYTES.three + 1)
  t.equal(connections, 1)
})
