import { spawn, spawnSync, execFileSync, type SpawnSyncReturns } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { freshFolder } from '../helpers/installed'
import { plainEnv, TYPESCRIPT } from '../helpers/process'

const MAIN = [...TYPESCRIPT, resolve(__dirname, '../../lib/cli/main.ts')]
const ONE_LINE = /^fastify-sealed-session: .*\n$/

function start (args: string[], input = ''): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...MAIN, ...args], { encoding: 'utf8', input })
}

/** With stdout or stderr going elsewhere, as a shell does it. */
function startIn (redirection: string, args: string[]): SpawnSyncReturns<string> {
  return spawnSync('sh', ['-c', `exec "$@" ${redirection}`, 'sh', process.execPath, ...MAIN, ...args], { encoding: 'utf8' })
}

t.test('as a process, the command prints, reads stdin, and exits with its status', async t => {
  const file = join(freshFolder(t), 'keys.json')
  t.match(start(['generate']), { status: 0, stdout: /^[\w-]{43}\n$/, stderr: '' })
  t.match(start(['nope']), { status: 2, stdout: '', stderr: ONE_LINE })
  t.match(start(['init', '--keyring', file]), { status: 0, stdout: /^Created .*\n.*\n\w+ {2}active .*\n$/, stderr: '' })
  t.match(start(['inspect', '--cookie-name', 'session', '--keyring', file], 'session=AQFqy3ot\n'), { status: 1, stdout: '', stderr: /^fastify-sealed-session: .*malformed.*\n$/ })
})

t.test('endless stdin is read only up to the maximum length', async t => {
  const args = ['inspect', '--cookie-name', 'session', '--key-env', 'SESSION_KEY']
  const env = { ...process.env, SESSION_KEY: 'a1'.repeat(32) }
  const { status, stdout, stderr } = spawnSync('sh', ['-c', 'yes | exec "$@"', 'sh', process.execPath, ...MAIN, ...args], { encoding: 'utf8', env })
  t.match({ status, stdout, stderr }, { status: 1, stdout: '', stderr: /^fastify-sealed-session: stdin has more than 16 MB.*\n$/ })
})

t.test('the built command works as a process', async t => {
  const main = resolve(__dirname, '../../dist/lib/cli/main.js')
  t.match(execFileSync(process.execPath, [main, 'generate'], { env: plainEnv(), encoding: 'utf8' }), /^[\w-]{43}\n$/)
  t.match(execFileSync(process.execPath, [main, '--version'], { env: plainEnv(), encoding: 'utf8' }), /^\d+\.\d+\.\d+/)
  t.match(spawnSync(process.execPath, [main, 'nope'], { env: plainEnv(), encoding: 'utf8' }), { status: 2, stdout: '', stderr: /no command "nope"/ })
})

t.test('a closed output pipe is not a failure', async t => {
  const child = spawn(process.execPath, [...MAIN, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString() })
  const [status] = await once(child, 'close') as [number]
  t.match({ status, err }, { status: 0, err: '' })
})

t.test('an output that cannot be written is a failure', { skip: !existsSync('/dev/full') }, async t => {
  t.match(startIn('> /dev/full', ['generate']), { status: 1, stdout: '', stderr: /^fastify-sealed-session: .*ENOSPC.*\n$/ })
  t.equal(startIn('2> /dev/full', ['nope']).status === 0, false)
})

t.test('if neither libsodium nor noble loads, the command prints one line', async t => {
  const broken = join(freshFolder(t), 'broken.cjs')
  writeFileSync(broken, `const Module = require('node:module'), load = Module._load
Module._load = (name, ...rest) => { if (/^(?:sodium-native|@noble)/.test(name)) throw new Error('no binary\\nfor this platform'); return load(name, ...rest) }`)
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--require', broken, ...MAIN, 'generate'], { encoding: 'utf8' })
  t.match({ status, stdout, stderr }, { status: 1, stdout: '', stderr: /^fastify-sealed-session: libsodium did not load.*\n$/ })
})
