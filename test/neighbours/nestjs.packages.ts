import t, { type Test } from 'tap'
import { parseLine } from '../helpers/browser'
import { built, started } from './nestjs/built-app'
import { Visitor, type Answer } from './nestjs/visitor'

/** An app of NestJS on its Fastify adapter, compiled as users compile theirs, and visited over HTTP. */

const ATTRIBUTES = '; Path=/; HttpOnly; SameSite=Lax'
const VISITORS = 20

t.setTimeout(600_000)

type Check = (t: Test, visitor: () => Visitor) => Promise<void>

const CHECKS: Record<string, Check> = {
  'a login gives a new session, one cookie with the default flags, and keeps only what it names': async (t, visitor) => {
    const ada = visitor()
    const before = await ada.post('/api/account/language/en')
    await ada.post('/api/cart/tea')
    const login = await ada.post('/api/account/login', { name: 'ada' })
    t.strictSame(login.lines.map(line => parseLine(line).attributes), [ATTRIBUTES])
    t.strictSame([...ada.cookies.keys()], ['session'])
    t.equal(login.headers.get('cache-control'), 'no-store')
    t.not(json(login).id, json(before).id)
    t.equal(json(login).isNew, true)
    t.strictSame(json(await ada.get('/api/account/profile')), { user: { name: 'ada' }, language: 'en' })
    t.strictSame(json(await ada.get('/api/cart')), [])
  },

  'a guard answers 401 to who has not logged in, and to a cookie that does not open': async (t, visitor) => {
    t.equal((await visitor().get('/api/account/profile')).status, 401)
    const forger = await loggedIn(visitor(), 'eve')
    forger.cookies.set('session', (forger.cookies.get('session') as string).replace(/.$/, last => last === 'A' ? 'Q' : 'A'))
    t.equal((await forger.get('/api/account/profile')).status, 401)
  },

  'a logout clears the cookie': async (t, visitor) => {
    const ada = await loggedIn(visitor(), 'ada')
    const logout = await ada.post('/api/account/logout')
    t.equal(logout.status, 204)
    t.ok(logout.lines.length > 0)
    for (const line of logout.lines) t.match(line, /^session(\.t)?=; .*Max-Age=0/)
    t.equal(ada.cookies.size, 0)
    t.equal((await ada.get('/api/account/profile')).status, 401)
  },

  'a change inside a list that a request-scoped service holds is kept': async (t, visitor) => {
    const ada = visitor()
    for (const item of ['tea', 'milk', 'jam']) t.equal((await ada.post(`/api/cart/${item}`)).lines.length, 1)
    t.strictSame(json(await ada.get('/api/cart')), ['tea', 'milk', 'jam'])
  },

  'by the request, by the decorator and as a property, a value is the same': async (t, visitor) => {
    const ada = visitor()
    t.equal((await ada.get('/api/visits/by-request')).text, '1')
    t.equal((await ada.get('/api/visits/by-decorator')).text, '2')
    t.strictSame(json(await ada.get('/api/visits/by-property')), { visits: 3 })
  },

  'hooks and interceptors see the session, and what only reads it sets no cookie': async (t, visitor) => {
    const ada = await loggedIn(visitor(), 'ada')
    for (const path of ['/api/replies/untouched', '/api/account/profile', '/api/cart']) {
      const { status, headers, lines } = await ada.get(path)
      t.equal(status, 200)
      t.strictSame([headers.get('x-hook-saw'), headers.get('x-interceptor-saw')], ['ada', 'ada'], path)
      t.strictSame(lines, [])
    }
  },

  'the cookie goes out with every kind of reply': async (t, visitor) => {
    const statuses = { redirect: 303, file: 200, passthrough: 202, send: 202, failure: 500, 'bad-request': 400, events: 200, raw: 200 }
    for (const [path, status] of Object.entries(statuses)) {
      const ada = visitor()
      const answer = await ada.get(`/api/replies/${path}`)
      t.equal(answer.status, status, path)
      t.strictSame(answer.lines.map(line => parseLine(line).name + parseLine(line).attributes), [`session${ATTRIBUTES}`], path)
      t.match(json(await ada.get('/api/visits/by-property')), { visits: 2 })
    }
  },

  'replies are what they were': async (t, visitor) => {
    t.equal((await visitor().get('/api/replies/redirect')).headers.get('location'), '/api/account/profile')
    t.equal((await visitor().get('/api/replies/file')).text, 'a file')
    t.equal((await visitor().get('/api/replies/passthrough')).headers.get('x-own'), 'yes')
    t.match((await visitor().get('/api/replies/events')).text, 'data: an event')
    t.equal((await visitor().get('/api/replies/raw')).text, 'past Fastify')
  },

  'what an exception filter writes to the session is kept, also where there is no route': async (t, visitor) => {
    for (const [path, status] of [['/api/replies/failure', 500], ['/api/nowhere', 404]] as const) {
      const ada = visitor()
      t.strictSame(json(await ada.get(path)), { status, hasSession: true })
      t.match(json(await ada.get('/api/visits/by-property')), { failure: status })
    }
  },

  'a middleware has no session, but can open the cookie; nor has a filter of what it throws': async (t, visitor) => {
    const ada = await loggedIn(visitor(), 'ada')
    const { headers } = await ada.get('/api/replies/untouched')
    t.equal(headers.get('x-raw-request-has-session'), 'false')
    t.equal(headers.get('x-middleware-saw'), 'ada')
    t.equal((await visitor().get('/api/replies/untouched')).headers.get('x-middleware-saw'), 'nobody')
    const refused = await ada.get('/api/account/profile', { 'x-refuse': 'yes' })
    t.strictSame(json(refused), { status: 403, hasSession: false })
    t.strictSame(refused.lines, [])
  },

  'a token made outside any request is a session': async (t, visitor) => {
    const ada = await loggedIn(visitor(), 'ada')
    const other = visitor()
    other.cookies.set('session', json(await ada.get('/api/account/token')).token)
    t.match(json(await other.get('/api/account/profile')), { user: { name: 'ada' } })
  },

  'requests at the same time each have their own session': async (t, visitor) => {
    const names = Array.from({ length: VISITORS }, (_, number) => `visitor${number}`)
    const visitors = await Promise.all(names.map(async name => await loggedIn(visitor(), name)))
    await Promise.all(visitors.map(async (one, number) => await one.post(`/api/cart/item${number}`)))
    for (const [number, one] of visitors.entries()) {
      const [profile, cart] = await Promise.all([one.get('/api/account/profile'), one.get('/api/cart')])
      t.strictSame([json(profile).user.name, json(cart)], [names[number], [`item${number}`]])
    }
  }
}

for (const format of ['module', 'commonjs'] as const) {
  t.test(`sessions in a NestJS app of format "${format}"`, async t => {
    const folder = built(t, format)
    const app = await started(t, folder, 'main.js')
    for (const [name, check] of Object.entries(CHECKS)) await t.test(name, async t => { await check(t, () => new Visitor(app.address)) })
    t.equal(await app.close(), 0, 'after app.close() the process ends by itself')
    t.equal(app.printed(), '', 'neither Nest nor Fastify had anything to say')

    await t.test('middleware that runs after the plugin can be given the session', async t => { await lent(t, folder) })
  })
}

async function lent (t: Test, folder: string): Promise<void> {
  const app = await started(t, folder, 'lent-session.js')
  const ada = new Visitor(app.address)
  t.strictSame(json(await ada.get('/visits')), { visits: 1 })
  const answered = await ada.get('/visits', { 'x-no-handler': 'yes' })
  t.equal(answered.text, 'from the middleware')
  t.equal(answered.lines.length, 1)
  t.strictSame(json(await ada.get('/visits')), { visits: 3 })
  t.equal(await app.close(), 0)
  t.equal(app.printed(), '')
}

async function loggedIn (visitor: Visitor, name: string): Promise<Visitor> {
  await visitor.post('/api/account/login', { name })
  return visitor
}

function json ({ text }: Answer): any {
  return JSON.parse(text)
}
