import { execFileSync, spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import t from 'tap'
import { run } from '../../lib/cli/run'
import { addRoutes, appWith } from '../helpers/app'
import { plainEnv } from '../helpers/process'

function runWith (...args: string[]): { status: number, out: string, err: string } {
  const texts = { out: '', err: '' }
  const status = run(args, text => { texts.out += text }, text => { texts.err += text })
  return { status, ...texts }
}

t.test('generate prints a key as one line of text that the plugin takes as it is', async t => {
  const { status, out, err } = runWith('generate')
  t.match({ status, out, err }, { status: 0, out: /^[\w-]{43}\n$/, err: '' })
  const app = await appWith(t, { key: out })
  addRoutes(app)
  t.equal((await app.inject('/set/a/b')).statusCode, 200)
})

t.test('no two keys are alike', async t => {
  t.equal(new Set(Array.from({ length: 100 }, () => runWith('generate').out)).size, 100)
})

t.test('help is worth reading', async t => {
  for (const args of [['--help'], ['-h'], ['help'], ['generate', '--help']]) t.match(runWith(...args), { status: 0, out: /Usage:[^]*generate[^]*SESSION_KEY/, err: '' })
})

t.test('wrong use is one line and status 2', async t => {
  for (const args of [[], ['generte'], ['generate', 'now'], ['--key']]) t.match(runWith(...args), { status: 2, out: '', err: /^fastify-sealed-session: .*see --help\n$/ })
})

t.test('as a process it prints, and exits with the status', async t => {
  const main = resolve(__dirname, '../../lib/cli/main.ts')
  const start = (...args: string[]): unknown => spawnSync(process.execPath, ['--import', '@tapjs/typescript/import', main, ...args], { encoding: 'utf8' })
  t.match(start('generate'), { status: 0, stdout: /^[\w-]{43}\n$/ })
  t.match(start('nope'), { status: 2, stdout: '' })
})

t.test('the built command does the same as a process', async t => {
  const main = resolve(__dirname, '../../dist/lib/cli/main.js')
  t.match(execFileSync(process.execPath, [main, 'generate'], { env: plainEnv(), encoding: 'utf8' }), /^[\w-]{43}\n$/)
  t.match(spawnSync(process.execPath, [main, 'nope'], { env: plainEnv(), encoding: 'utf8' }), { status: 2, stdout: '', stderr: /no command "nope"/ })
})
