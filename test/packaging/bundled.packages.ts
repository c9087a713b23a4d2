import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { installed, runIn } from '../helpers/installed'

/** A server that is bundled into one file, by the command of the page of recipes. */

const ESBUILD = resolve(__dirname, '../../node_modules/.bin/esbuild')
const PAGE = readFileSync(resolve(__dirname, '../../docs/recipes/bundling.md'), 'utf8')
const [, OPTIONS] = /^npx esbuild (server\.js [^]*?)\n```/m.exec(PAGE) as unknown as [string, string]

const SERVER = `
import fastify from 'fastify'
import secureSession, { fileKeyring } from 'fastify-sealed-session'
const app = fastify()
await app.register(secureSession, { key: Buffer.alloc(32, 1) })
app.get('/', async ({ session }) => { session.set('user', 'ada'); return session.data() })
const response = await app.inject('/')
console.log(response.json().user, response.headers['set-cookie'].split('=')[0], typeof fileKeyring)
`

t.setTimeout(600_000)

t.test('a server that esbuild bundled into an ES module runs', async t => {
  const folder = installed(t, 'fastify@5')
  writeFileSync(join(folder, 'server.js'), SERVER)
  execFileSync('sh', ['-c', `"${ESBUILD}" ${OPTIONS}`], { cwd: folder, stdio: 'pipe' })
  t.equal(runIn(folder, process.execPath, 'bundle.mjs'), 'ada session function\n')
})
