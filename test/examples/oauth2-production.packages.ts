import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { plainEnv } from '../helpers/process'
import { World } from './oauth2-world'

/** The site of examples/oauth as it is to be run behind TLS. */

const DISCOVERY = join(__dirname, '../../examples/oauth/discovery.js')
const run = promisify(execFile)

t.test('a site with a public address over TLS has only __Host- cookies', async t => {
  const world = await World.start(t, { publicUrl: 'https://shop.example' })
  const visitor = world.visitor()
  await visitor.ask('/login')
  const lines = [...visitor.cookies.values()].map(({ line }) => line)
  const { url, status } = await visitor.signIn('ada', '/orders')
  t.equal(url, 'https://shop.example/orders')
  t.equal(status, 200)
  lines.push(...[...visitor.cookies.values()].map(({ line }) => line))
  t.strictSame(lines.map(line => line.slice(0, line.indexOf('='))).sort(), ['__Host-session', '__Host-sign-in', '__Host-sign-in-state', '__Host-sign-in-verifier'])
  for (const line of lines) {
    for (const attribute of ['Secure', 'HttpOnly', 'SameSite=Lax', 'Path=/']) t.match(line, `; ${attribute}`)
    t.notMatch(line, /domain/i)
  }

  const session = visitor.valueOf('__Host-session')
  t.equal((await world.opened(session, '__Host-session')).get('user')?.id, 'ada')
  await visitor.submit(await visitor.go('/account'), '/logout')
  t.equal(visitor.cookies.size, 0)
})

t.test('neither the site nor its provider is used without TLS beyond this machine', async t => {
  const refuses = async (call: string) => {
    const script = `const d = require(${JSON.stringify(DISCOVERY)}); Promise.resolve().then(() => ${call}).then(() => console.log('taken'), error => console.log(error.message))`
    return (await run(process.execPath, ['-e', script], { env: plainEnv() })).stdout
  }
  t.match(await refuses("d.requireTls('http://shop.example')"), 'must begin with https://')
  t.match(await refuses("d.discover('http://provider.example')"), 'must begin with https://')
  for (const good of ['https://shop.example', 'http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1']) t.match(await refuses(`d.requireTls('${good}')`), 'taken')
})
