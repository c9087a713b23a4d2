import t from 'tap'
import { addRoutes, appWith } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'

const CHANGES: Record<string, (session: any) => void> = {
  set: session => { session.set('late', 1) },
  'property style': session => { session.late = 1 },
  unset: session => { session.unset('user') },
  'delete a property': session => { delete session.user },
  touch: session => { session.touch() },
  regenerate: session => { session.regenerate() },
  delete: session => { session.delete() },
  options: session => { session.options({ maxAge: 60 }) }
}

function codeOf (attempt: () => void): string {
  try { attempt() } catch (error) { return (error as { code: string }).code }
  return 'no error'
}

t.test('a change after the cookie was written throws: in onSend, after commitSession, in onResponse', async t => {
  const app = await appWith(t)
  const codes: Record<string, string[]> = {}
  let change = 'set'
  const attempt = (where: string, session: any): void => { (codes[where] ??= []).push(codeOf(() => { CHANGES[change]?.(session) })) }
  addRoutes(app)
  app.addHook('onSend', async ({ session, url }) => { if (url !== '/set/user/ada') attempt('onSend', session) })
  app.addHook('onResponse', async ({ session, url }) => { if (url !== '/set/user/ada') attempt('onResponse', session) })
  app.get('/committed', async ({ session }, reply) => { reply.commitSession(); attempt('commitSession', session); return {} })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  for (change of Object.keys(CHANGES)) {
    t.strictSame(setCookies(await browser.get('/committed')), [])
    t.strictSame(setCookies(await browser.get('/untouched')), [])
  }
  const all = (times: number): string[] => Array.from({ length: times * Object.keys(CHANGES).length }, () => 'FST_SESSION_COMMITTED')
  t.strictSame(codes, { commitSession: all(1), onSend: all(2), onResponse: all(2) })
})

t.test('what changes nothing does not throw after the cookie was written', async t => {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/max-age', async ({ session }) => { session.options({ maxAge: 60 }); return {} })
  const codes: string[] = []
  app.get('/', async ({ session }, reply) => {
    reply.commitSession()
    const same = [() => { session.set('user', 'ada') }, () => { session.unset('never') }, () => { session.options({ maxAge: 60 }) }, () => { session.options(null as never) }]
    codes.push(...same.map(codeOf))
    return {}
  })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  await browser.get('/max-age')
  await browser.get('/')
  t.strictSame(codes, ['no error', 'no error', 'no error', 'no error'])
})

t.test('a change that is refused does not change the values in memory', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const seen: unknown[] = []
  app.get('/', async ({ session }, reply) => {
    reply.commitSession()
    for (const change of Object.values(CHANGES)) codeOf(() => { change(session) })
    seen.push(session.data(), session.changed, session.deleted)
    return {}
  })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  await browser.get('/')
  t.strictSame(seen, [{ user: 'ada' }, false, false])
})

t.test('a change after the app has sent the head throws', async t => {
  const app = await appWith(t)
  const codes: string[] = []
  app.get('/', (request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200)
    codes.push(codeOf(() => { request.session.set('late', 1) }))
    reply.raw.end()
  })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  await (await fetch(address)).text()
  t.strictSame(codes, ['FST_SESSION_COMMITTED'])
})

t.test('reading the session is possible at any time', async t => {
  const app = await appWith(t)
  addRoutes(app)
  const seen: unknown[] = []
  app.addHook('onResponse', async ({ session }) => { seen.push(session.data(), session.has('user'), session.info.isNew) })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  seen.length = 0
  await browser.get('/untouched')
  t.strictSame(seen, [{ user: 'ada' }, true, false])
})
