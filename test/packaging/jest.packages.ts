import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { installed, nodeOf } from '../helpers/installed'
import { plainEnv } from '../helpers/process'

/** The package under the real Jest, in the ways that the page of recipes names. */

const FLAG = '--experimental-vm-modules'
const PAGE = readFileSync(resolve(__dirname, '../../docs/recipes/jest-and-vitest.md'), 'utf8')
const [, FETCHED] = /```js\n(test\('the account'[^]*?)```/.exec(PAGE) as unknown as [string, string]

const SITE = `
const fastify = require('fastify')
const secureSession = require('fastify-sealed-session')
const lines = []
const app = fastify({ logger: { level: 'warn', stream: { write: line => lines.push(JSON.parse(line)) } } })
app.register(secureSession, {
  key: [new Uint8Array(32), Buffer.alloc(32, 1)],
  cookie: { expires: new Date(Date.now() + 60_000) },
  subject: session => session.get('user')?.id,
  revocation: { store: secureSession.memoryRevocation() }
})
app.register(async scope => {
  scope.get('/account', { onRequest: scope.requireSession() }, async request => request.session.get('user'))
  scope.get('/cookies', async (request, reply) => {
    request.session.set('seen', true)
    reply.setCookie?.('mine', 'yes')
    return { cookies: request.cookies ?? null }
  })
})
afterAll(() => app.close())
`
const WITHOUT = `
test('what is missing', async () => {
  const response = await fetch(app.listeningOrigin + '/cookies', { headers: { cookie: 'theme=dark' } })
  expect(await response.json()).toEqual({ cookies: null })
  expect(response.headers.getSetCookie()).toHaveLength(1)
  expect(lines).toHaveLength(1)
  expect(lines[0].msg).toMatch(/@fastify\\/cookie is not registered/)
})
`
const PASSPHRASE = `
test('with a passphrase', async () => {
  const app = fastify()
  await app.register(secureSession, { secret: 'x'.repeat(32), salt: Buffer.alloc(16) })
  app.get('/account', async request => request.session.get('user'))
  const address = await app.listen({ port: 0 })
  const { session } = app.secureSession.cookiesFor({ user: { id: 17 } })
  const response = await fetch(address + '/account', { headers: { cookie: 'session=' + session } })
  expect(await response.json()).toEqual({ id: 17 })
  await app.close()
})
`
const WITH = `
test('nothing is missing', async () => {
  const cookies = { ...app.secureSession.cookiesFor({ user: { id: 17 } }), theme: 'dark' }
  expect((await app.inject({ url: '/account', cookies })).json()).toEqual({ id: 17 })
  const response = await app.inject({ url: '/cookies', cookies })
  expect(response.json().cookies).toMatchObject({ theme: 'dark' })
  expect(response.cookies.map(({ name }) => name)).toEqual(['mine', 'session'])
  expect(lines).toEqual([])
})
`

t.setTimeout(600_000)

/** Runs these tests in two files, so that Jest loads all modules twice in one process. */
function jest (t: Test, node: string, flags: readonly string[], tests: string): string {
  const folder = installed(t, 'fastify@5', 'jest@30')
  for (const file of ['one', 'two']) writeFileSync(join(folder, `${file}.test.js`), SITE + tests)
  const args = [...flags, join(folder, 'node_modules/jest/bin/jest.js'), '--runInBand', '--rootDir', folder]
  const { status, stderr, stdout } = spawnSync(node, args, { cwd: folder, env: plainEnv(), encoding: 'utf8' })
  return status === 0 ? /^Tests: .*$/m.exec(stderr)?.[0] ?? stderr : stderr + stdout
}

t.test('under Jest sessions work, and the log names what does not', async t => {
  t.match(jest(t, process.execPath, [], FETCHED + WITHOUT + PASSPHRASE), /^Tests: +6 passed, 6 total$/)
})

t.test('under Jest with the flag and Node.js 24, everything works', async t => {
  t.match(jest(t, nodeOf(24), [FLAG], FETCHED + WITH + PASSPHRASE), /^Tests: +6 passed, 6 total$/)
  t.match(PAGE, `NODE_OPTIONS=${FLAG} npx jest`)
})
