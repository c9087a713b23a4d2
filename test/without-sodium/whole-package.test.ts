import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { plainEnv } from '../helpers/process'

const ROOT = resolve(__dirname, '../..')
const BLOCK = ['--require', join(__dirname, 'no-sodium.cjs')]
const LOADER = ['--enable-source-maps', '--import', join(ROOT, 'test/loader/register.mjs')]

/** They show the format, sealing and opening, and sessions through the plugin. */
const FILES = [
  'format/vectors', 'format/purpose-binding', 'sealer', 'session/renewal', 'revocation/revoke-others', 'tokens/once'
].map(name => join(ROOT, 'test', `${name}.test.ts`))

/** What a program says and warns of where sodium-native does not load. */
async function run (...args: string[]): Promise<{ code: number, output: string, warnings: string }> {
  const child = spawn(process.execPath, [...BLOCK, ...args], { cwd: ROOT, env: plainEnv(), stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, warnings, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number, output, warnings }
}

t.test('all vectors, and what is tested of sealing and of sessions, hold without sodium-native', async t => {
  const group = `require(${JSON.stringify(join(ROOT, 'test/loader/group'))})(${JSON.stringify(FILES)})`
  const { code, output, warnings } = await run(...LOADER, '-e', group)
  t.equal(code, 0, output.split('\n').filter(line => /not ok/.test(line)).slice(0, 10).join('; ') || 'none fails')
  t.match(output, new RegExp(`^1\\.\\.${FILES.length}$`, 'm'), 'all files ran')
  t.match(warnings, /FST_SESSION_WITHOUT_SODIUM/)
})

t.test('one warning of the process says why, what is lost, and which packages are used', async t => {
  const source = `
    const { createSealer } = require(${JSON.stringify(join(ROOT, 'dist/lib/sealer.js'))})
    const sealer = createSealer({ key: Buffer.alloc(32) })
    console.log(sealer.open(sealer.seal({ user: 'ada' })).ok)`
  const { code, output, warnings } = await run('-e', source)
  t.strictSame([code, output], [0, 'true\n'])
  t.match(warnings, /\[FST_SESSION_WITHOUT_SODIUM\] Warning: fastify-sealed-session: sodium-native did not load \(.*Cannot find addon.*@noble\/ciphers.*ordinary memory.*times as long/)
  t.equal(warnings.split('FST_SESSION_WITHOUT_SODIUM').length, 2)
})
