import t, { type Test } from 'tap'
import { addRoutes, appWith, ERROR, type TestApp } from '../helpers/app'
import { runSnippet } from '../helpers/snippet'
import { listen, Visitor } from '../neighbours/helpers'
import { pageOf } from './page'

const { PAGE, block, blocks } = pageOf('recipes/server-sent-events.md')

const [PLAIN] = /app\.register\(require[^]*?(?=\napp\.listen)/.exec(block(t, 'js', '@fastify/sse')) as unknown as [string]
const COMMITTED = blocks('js').find(code => code.includes('sse') && code.includes('commitSession')) as string

/** A site with the stream of the page, for which `change` has changed the session by then. */
async function site (t: Test, code: string, change: (session: any) => void = () => {}): Promise<TestApp> {
  const app = await appWith(t)
  addRoutes(app)
  app.addHook('preHandler', async ({ url, session }) => { if (url === '/events') change(session) })
  const register = code === PLAIN ? '' : "await app.register(require('@fastify/sse'))\n"
  await runSnippet(`return (async () => { ${register}${code} })()`, { app, site: app, require })
  return app
}

async function open (visitor: Visitor): Promise<Response> {
  return await visitor.send('/events', { headers: { accept: 'text/event-stream' } })
}

for (const [name, code] of [['without commitSession', PLAIN], ['with commitSession', COMMITTED]] as const) {
  t.test(`a change before the first event is sent with the head of the stream, ${name}`, async t => {
    const ada = new Visitor(await listen(await site(t, code)))
    await ada.send('/set/user/ada')
    const response = await open(ada)
    t.equal(response.headers.getSetCookie().length, 1)
    t.match(await response.text(), 'data: "hello"')
    t.match(await ada.json('/get'), { user: 'ada', lastSeen: Number })
  })
}

t.test('if the session is too large, the stream begins without it and logs that; commitSession throws', async t => {
  const fill = (session: any): void => { session.set('text', 'x'.repeat(5000)) }
  const plain = await site(t, PLAIN, fill)
  const response = await open(new Visitor(await listen(plain)))
  t.strictSame([response.status, response.headers.getSetCookie()], [200, []])
  t.match(await response.text(), 'data: "hello"')
  t.match(plain.lines.filter(({ level }) => level === ERROR), [{ err: { code: 'FST_SESSION_TOO_LARGE' } }])

  const refused = await open(new Visitor(await listen(await site(t, COMMITTED, fill))))
  t.equal(refused.status, 500)
  t.match(await refused.json(), { code: 'FST_SESSION_TOO_LARGE' })
})

t.test('after the stream has begun, the session can be read and not changed', async t => {
  const app = await appWith(t)
  addRoutes(app)
  await app.register(require('@fastify/sse'))
  app.get('/events', { sse: true } as object, async ({ session }, reply) => {
    const { sse } = reply as unknown as { sse: { send (event: object): Promise<void> } }
    await sse.send({ data: session.get('user') })
    t.equal(session.get('user'), 'ada')
    t.throws(() => { session.set('late', true) }, { code: 'FST_SESSION_COMMITTED' })
    await sse.send({ data: session.get('user') })
  })
  const ada = new Visitor(await listen(app))
  await ada.send('/set/user/ada')
  t.match(await (await open(ada)).text(), /"ada"[^]*"ada"/)
  t.match(PAGE, '`FST_SESSION_COMMITTED`')
})
