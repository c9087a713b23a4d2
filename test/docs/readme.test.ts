import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { plainEnv } from '../helpers/process'
import { pageOf, ROOT } from './page'

const { PAGE, blocks } = pageOf('../README.md')

t.test('README: the first program runs unchanged, with a key that the command made', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'readme-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  mkdirSync(join(folder, 'node_modules'))
  for (const name of ['fastify', 'fastify-sealed-session']) symlinkSync(name === 'fastify' ? join(ROOT, 'node_modules', name) : ROOT, join(folder, 'node_modules', name))
  writeFileSync(join(folder, 'app.mjs'), blocks('js')[0] as string)
  const key = execFileSync(process.execPath, [join(ROOT, 'dist/lib/cli/main.js'), 'generate'], { env: plainEnv(), encoding: 'utf8' })
  writeFileSync(join(folder, '.env'), `SESSION_KEY=${key}`)

  const server = spawn(process.execPath, ['--env-file=.env', 'app.mjs'], { cwd: folder, env: plainEnv({ PORT: '0' }), stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => server.kill())
  let address = ''
  for await (const line of createInterface(server.stdout)) {
    address = /Server listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1] ?? ''
    if (address !== '') break
  }
  t.equal((await fetch(`${address}/private`)).status, 401)
  const login = await fetch(`${address}/login`, { method: 'POST' })
  const cookie = login.headers.getSetCookie()[0]?.split(';')[0] as string
  t.strictSame(await (await fetch(`${address}/private`, { headers: { cookie } })).json(), { name: 'ada' })
  t.match((await fetch(`${address}/logout`, { method: 'POST', headers: { cookie } })).headers.getSetCookie(), [/Max-Age=0/])
})

t.test('README: the first program has at most fifteen lines, and the two commands are there', async t => {
  const code = (blocks('js')[0] as string).split('\n').filter(line => line.trim() !== '')
  t.ok(code.length <= 15, String(code.length))
  t.ok(blocks('sh').includes('npm ci && npm start\nnpm ci && npm test\n'))
})

t.test('README: it has at most 150 lines, and one program', async t => {
  t.ok(PAGE.split('\n').length <= 151)
  t.equal(blocks('js').length, 1)
  t.equal(blocks('ts').length, 0)
})
