import t from 'tap'
import { Script } from 'node:vm'
import { registerCookies } from '../../lib/plugin/cookie-plugin'
import { bareApp, WARN } from '../helpers/app'

/** As code does that runs in a vm context, such as that of Jest. */
async function importInContext (): Promise<unknown> {
  return await new Script("import('node:fs')").runInThisContext()
}

t.test('if import() is not available, @fastify/cookie is omitted, and the log says so', async t => {
  const app = bareApp(t)
  await registerCookies(app, 'x'.repeat(32), importInContext)
  t.notOk(app.hasPlugin('@fastify/cookie'))
  t.match(app.lines, [{ level: WARN, msg: /@fastify\/cookie is not registered.*import\(\).*request\.cookies/ }])
})

t.test('if the app has registered @fastify/cookie, import() is not tried and not logged', async t => {
  const app = bareApp(t)
  await registerCookies(app, 'x'.repeat(32))
  t.ok(app.hasPlugin('@fastify/cookie'))
  await registerCookies(app, 'x'.repeat(32), importInContext)
  t.strictSame(app.lines, [])
})

t.test('any other error of import() fails the registration', async t => {
  const app = bareApp(t)
  await registerCookies(app, 'x'.repeat(32), async () => await import(['no', 'such', 'module'].join('-')))
  t.ok(app.hasPlugin('@fastify/cookie'))
})
