import t from 'tap'
import type { FastifyRequest } from 'fastify'
import { appWith, KEY } from '../helpers/app'

const SITE = 'https://shop.test'
const TAB = '\t'

/** What links to the login page may say, and no browser may follow. Sources: OWASP's cheat sheet and common scanners. */
const ELSEWHERE = [
  '//evil.test', '///evil.test', '////evil.test', '/\\evil.test', '\\/evil.test', '\\\\evil.test', '/\\/evil.test', '//\\evil.test',
  'https://evil.test', 'HTTPS://evil.test', 'https:evil.test', 'https:/evil.test', 'http:\\\\evil.test', 'https:///evil.test',
  'javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', 'vbscript:x', 'blob:https://evil.test/1', 'mailto:a@evil.test',
  'evil.test', '@evil.test', '.evil.test', ':80@evil.test', '?next=//evil.test', '#//evil.test', '',
  ' //evil.test', `${TAB}//evil.test`, `/${TAB}/evil.test`, '/\n/evil.test', '/\r\n/evil.test', '/\0/evil.test', '\u0001//evil.test',
  '/\u007F/evil.test', '/\u0085/evil.test', '/orders\r\nset-cookie: a=b', '/orders\\..\\evil',
  '/.//evil.test', '/..//evil.test', '/./..//evil.test', '/%2e%2e//evil.test', '/%2E//evil.test', '/a/..//evil.test', '/a//evil.test',
  '／／evil.test', '\u2028//evil.test', '//evil%E3%80%82test', '//[::1]/', '//user@evil.test', '//evil.test%2f@shop.test',
  `/${'a'.repeat(2048)}`, `/${'é'.repeat(400)}`
]

/** Paths of this site, and how browsers write them. */
const HERE: Array<[string, string]> = [
  ['/', '/'], ['/orders', '/orders'], ['/orders?page=2&q=a%20b#row-3', '/orders?page=2&q=a%20b#row-3'],
  ['/share?url=https://other.test/a', '/share?url=https://other.test/a'], ['/a/./b/../c', '/a/c'], ['/%2f/evil.test', '/%2f/evil.test'],
  ['/%5cevil.test', '/%5cevil.test'], ['/@evil.test', '/@evil.test'], ['/:80', '/:80'], ['/javascript:alert(1)', '/javascript:alert(1)'],
  ['/café "1"', '/caf%C3%A9%20%221%22'], ['/／evil.test', '/%EF%BC%8Fevil.test'], ['/#//evil.test', '/#//evil.test'],
  ['/\uD800', '/%EF%BF%BD']
]

t.test('returnPath', async t => {
  const app = await appWith(t, { key: KEY })
  const { returnPath } = app.secureSession
  const asked = (query: unknown, body?: unknown) => ({ query, body }) as FastifyRequest

  t.test('gives the fallback for what leads to another site', async t => {
    for (const next of ELSEWHERE) t.equal(returnPath(asked({ next }), '/home'), '/home', encodeURIComponent(next).slice(0, 60))
  })

  t.test('gives a path of this site as a browser writes it, and nothing resolves it to another site', async t => {
    for (const [next, path] of HERE) {
      t.equal(returnPath(asked({ next }), '/home'), path, path)
      t.equal(new URL(path, `${SITE}/login/`).origin, SITE)
      t.equal(returnPath(asked({ next: path }), '/home'), path, 'and of what it gave, the same')
    }
  })

  t.test('reads the query, else the body, by the name of the parameter', async t => {
    t.equal(returnPath(asked({ next: '/a' }, { next: '/b' })), '/a')
    t.equal(returnPath(asked({}, { next: '/b' })), '/b')
    t.equal(returnPath(asked({ next: '//evil.test' }, { next: '/b' })), '/b')
    t.equal(returnPath(asked({ next: '/a', to: '/c' }), '/', 'to'), '/c')
    t.equal(returnPath(asked({ next: '/a' }), '/', 'constructor'), '/')
  })

  t.test('gives the fallback, by default "/", for no value and for one of another type', async t => {
    for (const query of [{}, null, undefined, 'next=/a', { next: ['/a', '/b'] }, { next: { path: '/a' } }, { next: 7 }, Object.create({ next: '/a' })]) {
      t.equal(returnPath(asked(query)), '/')
    }
  })

  t.test('refuses a fallback that is no path of this site, and a parameter that is no text', async t => {
    for (const fallback of ['https://evil.test', '//evil.test', 'home', 7, null]) {
      t.throws(() => returnPath(asked({ next: '/a' }), fallback as string), { code: 'FST_SESSION_INVALID_OPTION', message: /fallback/ })
    }
    t.throws(() => returnPath(asked({}), '/', 7 as never), { code: 'FST_SESSION_INVALID_OPTION', message: /found 7/ })
  })
})

t.test('returnPath reads the query of a real request', async t => {
  const app = await appWith(t, { key: KEY })
  app.get('/login', async request => app.secureSession.returnPath(request, '/home'))
  t.equal((await app.inject('/login?next=%2Forders%3Fpage%3D2')).body, '/orders?page=2')
  t.equal((await app.inject('/login?next=%2F%2Fevil.test')).body, '/home')
  t.equal((await app.inject('/login?next=/a&next=/b')).body, '/home')
  t.equal((await app.inject('/login')).body, '/home')
})
