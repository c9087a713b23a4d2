import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseEnv } from 'node:util'
import t, { type Test } from 'tap'
import { bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { freshFolder } from '../helpers/installed'
import { plainEnv, TYPESCRIPT } from '../helpers/process'
import { loggedInBefore } from '../legacy/old-app'
import { Operator } from './operator'

const ROOT = resolve(__dirname, '../..')
const MAIN = [...TYPESCRIPT, join(ROOT, 'lib/cli/main.ts')]
const INSTALLED = { fastify: '^5.0.0', 'fastify-plugin': '^6.0.0', 'fastify-sealed-session': '^0.1.0' }
const TYPES = { typescript: '^6.0.0', '@types/node': '^20.0.0' }
const TSCONFIG = '{\n  // "verbatimModuleSyntax": true,\n  "compilerOptions": { "module": "nodenext" }\n}'

type Files = Record<string, string>

function packageJson (dependencies: object = {}, more: object = {}): string {
  return JSON.stringify({ ...more, dependencies: { ...INSTALLED, ...dependencies } })
}

function write (folder: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    if (!name.endsWith('/.keep')) writeFileSync(join(folder, name), text)
  }
}

/** An app of these files, whose packages are those of this repository. */
function appFolder (t: Test, files: Files): Operator {
  const operator = new Operator(t)
  write(operator.folder, files)
  mkdirSync(operator.path('node_modules'))
  for (const name of ['fastify', 'fastify-plugin']) symlinkSync(join(ROOT, 'node_modules', name), operator.path(`node_modules/${name}`))
  symlinkSync(ROOT, operator.path('node_modules/fastify-sealed-session'))
  return operator
}

function read (operator: Operator, name: string): string {
  return readFileSync(operator.path(name), 'utf8')
}

/** The texts of all files, by their paths, without those of packages. */
function textsIn (folder: string, prefix = ''): Map<string, string> {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => name !== 'node_modules')
  return new Map(entries.flatMap(entry => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? [...textsIn(path, `${prefix}${entry.name}/`)] : [[prefix + entry.name, readFileSync(path, 'utf8')]]
  }))
}

/** The files that `work` has made or changed. */
async function changedBy (operator: Operator, work: () => Promise<unknown>): Promise<string[]> {
  const before = textsIn(operator.folder)
  await work()
  return Array.from(textsIn(operator.folder)).filter(([name, text]) => before.get(name) !== text).map(([name]) => name).sort()
}

/** A Fastify app with the plugin file, and routes to log in. */
async function appWithFile (t: Test, operator: Operator, name: string, more: Record<string, string> = {}): Promise<TestApp> {
  const env = { ...process.env }
  t.teardown(() => { process.env = env })
  process.env = { ...env, ...parseEnv(read(operator, '.env')), ...more }
  const path = operator.path(name)
  const { default: plugin } = path.endsWith('.ts') ? { default: require(path) } : await import(pathToFileURL(path).href)
  const app = bareApp(t)
  app.register(plugin)
  await app.after()
  app.post('/login', async ({ session }) => { session.regenerate(); session.set('user', { id: 'ada' }); return {} })
  app.get('/values', async ({ session }) => session.data())
  app.get('/user', { onRequest: app.requireSession() }, async ({ session }) => session.get('user'))
  return app
}

const KINDS: ReadonlyArray<readonly [name: string, files: Files, path: string, found: RegExp, next: RegExp]> = [
  ['CommonJS', { 'package.json': packageJson() }, 'plugins/session.js', /CommonJS, JavaScript/, /const session = require\('\.\/plugins\/session'\), and then: app\.register\(session\)/],
  ['ES modules', { 'package.json': packageJson({}, { type: 'module' }), 'src/app.js': '' }, 'src/plugins/session.js', /ES modules, JavaScript/, /import session from '\.\/plugins\/session\.js'/],
  ['TypeScript', { 'package.json': packageJson(TYPES), 'tsconfig.json': TSCONFIG, 'src/app.ts': '' }, 'src/plugins/session.ts', /CommonJS, TypeScript/, /import session from '\.\/plugins\/session',/],
  ['TypeScript that takes only import =', { 'package.json': packageJson(TYPES), 'tsconfig.json': TSCONFIG.replace('// ', '').replace('true,', 'true, "x": 0,') }, 'plugins/session.ts', /CommonJS, TypeScript/, /import session = require\('\.\/plugins\/session'\)/],
  ['TypeScript in ES modules', { 'package.json': packageJson({ typescript: '6' }, { type: 'module', devDependencies: TYPES }) }, 'plugins/session.ts', /ES modules, TypeScript/, /import session from '\.\/plugins\/session\.js'/]
]

for (const [name, files, path, found, next] of KINDS) {
  t.test(`init in an app of ${name} prints a plugin file that works, and writes it only with --write`, async t => {
    const operator = appFolder(t, files)
    let out = ''
    t.strictSame(await changedBy(operator, async () => { out = await operator.do('init') }), [])
    t.match(out, found)
    t.match(out, next)
    t.match(out, /fastify {7}5\.\d+\.\d+\n/)
    t.match(out, 'Nothing was written.')
    t.match(out, `\n${path}:\n`)
    const { plugin } = await operator.ask<{ plugin: { path: string, text: string } }>('init')
    for (const line of plugin.text.split('\n').filter(line => line !== '')) t.match(out, `\n    ${line}\n`)
    t.match(out, /^[\n -~]*$/)

    t.strictSame(await changedBy(operator, async () => { out = await operator.do('init', '--write') }), ['.env', '.gitignore', path].sort())
    t.equal(read(operator, path), `${plugin.text}\n`)
    t.match(out, `Added .env to .gitignore.\nAdded a new SESSION_KEY to .env.\nWrote ${path}.\n`)
    t.notMatch(out, plugin.text.split('\n')[0])
    t.notMatch(out, parseEnv(read(operator, '.env'))['SESSION_KEY'])
    t.equal(statSync(operator.path('.env')).mode & 0o777, 0o600)

    const app = await appWithFile(t, operator, path)
    const browser = new Browser(app)
    t.equal((await browser.get('/user')).statusCode, 401)
    t.match((await browser.get('/login', { method: 'POST' })).headers['set-cookie'], /^session=/)
    t.strictSame(await browser.json('/user'), { id: 'ada' })
  })
}

t.test('in production, the cookie of the plugin file is one for this exact host', async t => {
  const operator = appFolder(t, { 'package.json': packageJson() })
  await operator.do('init', '--write')
  const app = await appWithFile(t, operator, 'plugins/session.js', { NODE_ENV: 'production' })
  t.match((await app.inject({ method: 'POST', url: '/login' })).headers['set-cookie'], /^__Host-session=.*; Secure/)
})

t.test('in an app with @fastify/secure-session, the plugin file opens its cookies', async t => {
  for (const [file, type] of [['plugins/session.js', 'commonjs'], ['plugins/session.ts', 'module']] as const) {
    const typed = file.endsWith('.ts') ? TYPES : {}
    const operator = appFolder(t, { 'package.json': packageJson({ '@fastify/secure-session': '8', ...typed }, { type }) })
    const out = await operator.do('init', '--write')
    t.match(out, /sessions {6}@fastify\/secure-session\n/)
    t.match(out, /Remove the registration of @fastify\/secure-session[^]*OLD_KEY/)
    const old = await loggedInBefore(t, { key: KEY })
    const app = await appWithFile(t, operator, file, { OLD_KEY: KEY.toString('hex') })
    t.strictSame(await old.copy(app).json('/values'), { user: 'ada' })
  }
})

t.test('in an app of NestJS with Fastify, the file is in src/plugins, and main.ts registers it', async t => {
  const nest = { '@nestjs/core': '12', '@nestjs/platform-fastify': '12', '@fastify/session': '11', dotenv: '17' }
  const files = { 'package.json': JSON.stringify({ dependencies: { ...nest, ...TYPES } }), 'plugins/.keep': '' }
  const out = await appFolder(t, files).do('init')
  t.match(out, /with NestJS\n/)
  t.match(out, /1\. npm install fastify-sealed-session fastify-plugin\n/)
  t.match(out, /In src\/main\.ts, before listen\(\): import session from '\.\/plugins\/session', and then: await app\.register/)
  t.match(out, /Remove the registration of @fastify\/session/)
  t.notMatch(out, /OLD_KEY|--env-file/)
})

t.test('a folder that @fastify/autoload loads needs no registration, and fastify-cli reads .env', async t => {
  const dependencies = { '@fastify/autoload': '6', 'fastify-cli': '7' }
  const out = await appFolder(t, { 'package.json': packageJson(dependencies), 'plugins/.keep': '' }).do('init')
  t.match(out, /plugins {7}plugins\/, which @fastify\/autoload loads\n/)
  t.notMatch(out, /app\.register\(session\)|--env-file/)
  t.match(await appFolder(t, { 'package.json': packageJson(dependencies) }).do('init'), /plugins {7}plugins\/, not there yet\n[^]*app\.register\(session\)/)
  t.notMatch(await appFolder(t, { 'package.json': packageJson({}, { scripts: { start: 'node --env-file=.env .' } }) }).do('init'), /Start the app/)
})

t.test('the packages that are missing are named', async t => {
  const files = { 'package.json': JSON.stringify({ peerDependencies: { fastify: '5' }, devDependencies: { typescript: '6' } }) }
  const out = await appFolder(t, files).do('init')
  t.match(out, /1\. npm install fastify-sealed-session fastify-plugin\n2\. npm install --save-dev @types\/node\n3\. echo "SESSION_KEY=/)
})

t.test('a second init changes nothing, and says what is there', async t => {
  const operator = appFolder(t, { 'package.json': packageJson() })
  await operator.do('init', '--write')
  let out = ''
  t.strictSame(await changedBy(operator, async () => { out = await operator.do('init', '--write') }), [])
  t.match(out, /\.env +has a SESSION_KEY\n\.gitignore +has \.env\n/)
  t.match(out, '.env has a SESSION_KEY, and was not changed.\nplugins/session.js exists, and was not changed.')
  t.match(out, "    const fp = require('fastify-plugin')\n")
  t.notMatch(out, parseEnv(read(operator, '.env'))['SESSION_KEY'])
})

t.test('a key goes to the end of an existing .env, which keeps its text, its mode and its line breaks', async t => {
  for (const [before, after] of [['A=1', /^A=1\nSESSION_KEY=[\w-]{43}\n$/], ['A=1\r\n# x\r\n', /^A=1\r\n# x\r\nSESSION_KEY=[\w-]{43}\r\n$/], ['', /^SESSION_KEY=[\w-]{43}\n$/], ['# SESSION_KEY=x\n', /^# SESSION_KEY=x\nSESSION_KEY=[\w-]{43}\n$/]] as const) {
    const operator = appFolder(t, { 'package.json': packageJson(), '.env': before })
    chmodSync(operator.path('.env'), 0o640)
    t.match(await operator.do('init', '--write'), /chmod 600 \.env, because other users/)
    t.match(read(operator, '.env'), after)
    t.equal(statSync(operator.path('.env')).mode & 0o777, 0o640)
    chmodSync(operator.path('.env'), 0o600)
    t.notMatch(await operator.do('init'), 'chmod')
  }
})

t.test('a SESSION_KEY that is there stays as it is, also if it is not a key', async t => {
  const states = [
    [`export SESSION_KEY="${KEY.toString('hex')}"\n`, /has a SESSION_KEY, and was not changed/, /^(?![^]*(?:generate|is no key))/],
    ['SESSION_KEY=\n', /has an empty SESSION_KEY, and was not changed/, /Put a key after SESSION_KEY= in \.env/],
    ['SESSION_KEY=a passphrase of others\n', /has a SESSION_KEY that is not a key of 32 bytes, and was not changed/, /is no key\. If another library uses it/]
  ] as const
  for (const [text, report, step] of states) {
    const operator = appFolder(t, { 'package.json': packageJson(), '.env': text })
    operator.secrets.push(KEY)
    const out = await operator.do('init', '--write')
    t.equal(read(operator, '.env'), text)
    t.match(out, report)
    t.match(out, step)
    t.notMatch(out, 'passphrase of')
  }
})

t.test('a symbolic link stays, and its target gets the key', async t => {
  const operator = appFolder(t, { 'package.json': packageJson(), 'secrets/env': 'A=1\n' })
  symlinkSync('secrets/env', operator.path('.env'))
  await operator.do('init', '--write')
  t.ok(lstatSync(operator.path('.env')).isSymbolicLink())
  t.match(read(operator, 'secrets/env'), /^A=1\nSESSION_KEY=/)
})

const IGNORED: ReadonlyArray<readonly [text: string, isIgnored: boolean]> = [
  ['.env\n', true], ['/.env', true], ['node_modules\r\n.env\r\n', true], ['.env*', true], ['*.env', true], ['**/.env', true], ['.e?v', true], ['.*', true], ['.env  ', true],
  ['', false], ['# .env', false], ['.env.local', false], ['.env/', false], ['config/.env', false], ['.env\n!.env\n', false], ['!.env\n.env\n', true], ['xenv', false], ['.env.*\n', false]
]

t.test('.gitignore gets .env, unless one of its patterns has it', async t => {
  for (const [text, isIgnored] of IGNORED) {
    const operator = appFolder(t, { 'package.json': packageJson(), '.gitignore': text })
    const out = await operator.do('init', '--write')
    t.equal(read(operator, '.gitignore') === text, isIgnored, text)
    t.equal(out.includes('Added .env to .gitignore.'), !isIgnored, text)
    if (!isIgnored) t.match(read(operator, '.gitignore'), /(?:^|\n)\.env\n$/)
    t.notMatch(out, 'git rm --cached')
    t.notMatch(await operator.do('init'), 'Put .env into .gitignore')
  }
  t.match(await appFolder(t, { 'package.json': packageJson() }).do('init'), 'Put .env into .gitignore')
})

t.test('a .gitignore above the app counts within its repository, and nowhere else', async t => {
  for (const [text, isIgnored] of [['.env', true], ['/.env', false], ['apps/*/.env', true], ['apps/shop/.env', true]] as const) {
    const operator = appFolder(t, { 'apps/shop/package.json': packageJson(), '.gitignore': text })
    operator.world = { cwd: operator.path('apps/shop') }
    t.match((await operator.ask<any>('init')).found, { isEnvIgnored: false })
    mkdirSync(operator.path('.git'))
    t.match((await operator.ask<any>('init')).found, { isEnvIgnored: isIgnored }, text)
  }
})

t.test('if git did not ignore a .env that existed, init says how to take it out of the repository', async t => {
  const operator = appFolder(t, { 'package.json': packageJson(), '.env': 'A=1\n' })
  t.match(await operator.do('init', '--write'), /Added \.env to \.gitignore\.[^]*git rm --cached \.env/)
})

const REFUSED: ReadonlyArray<readonly [name: string, files: Files, message: RegExp]> = [
  ['without package.json', {}, /no package\.json/],
  ['with a package.json that is not JSON', { 'package.json': '{ "secret": 1' }, /package\.json is not valid: it must be JSON/],
  ['with a package.json that is not an object', { 'package.json': 'null' }, /package\.json is not valid/],
  ['with a folder in place of package.json', { 'package.json/.keep': '' }, /package\.json cannot be read: it is not a regular file/],
  ['without fastify', { 'package.json': '{}' }, /package\.json has no fastify: npm install fastify@5/],
  ['with fastify 4', { 'package.json': packageJson(), 'node_modules/fastify/package.json': '{ "version": "4.29.1" }' }, /fastify 5 is needed; found 4\.29\.1/],
  ['with a range of fastify 4 that is not installed', { 'package.json': packageJson({ fastify: '^4.0.0' }) }, /fastify 5 is needed; found \^4\.0\.0/],
  ['with NestJS on Express', { 'package.json': packageJson({ '@nestjs/core': '12' }) }, /NestJS runs on Express here/],
  ['with a folder in place of .env', { 'package.json': packageJson(), '.env/.keep': '' }, /\.env cannot be read: it is not a regular file/],
  ['with a folder in place of .gitignore', { 'package.json': packageJson(), '.gitignore/.keep': '' }, /\.gitignore cannot be read/]
]

t.test('in a folder that is not an app of Fastify 5, init is one line that says what is missing, and status 1', async t => {
  for (const [name, files, message] of REFUSED) {
    const operator = new Operator(t)
    write(operator.folder, files)
    for (const args of [['init'], ['init', '--write']]) {
      const changed = await changedBy(operator, async () => {
        const { status, out, err } = await operator.run(...args)
        t.match({ status, out, err }, { status: 1, out: '', err: message }, name)
        t.match(err, /^fastify-sealed-session: [^\n]*\n$/)
      })
      t.strictSame(changed, [], name)
    }
  }
})

t.test('a package.json with a BOM is read, and a fastify that is not installed is named by its range', async t => {
  for (const [range, shown] of [['^5.0.0', '^5.0.0, not installed yet'], ['catalog:', 'catalog:, not installed yet']] as const) {
    const operator = new Operator(t)
    write(operator.folder, { 'package.json': `\ufeff${packageJson({ fastify: range })}` })
    t.match(await operator.do('init'), shown)
  }
  const operator = new Operator(t)
  write(operator.folder, { 'package.json': JSON.stringify({ dependencies: { '@nestjs/core': '12', '@nestjs/platform-fastify': '12' } }) })
  t.match(await operator.do('init'), 'by NestJS, not installed yet, with NestJS')
})

t.test('a .env that is not UTF-8 is not changed', async t => {
  const operator = appFolder(t, { 'package.json': packageJson() })
  const bytes = Buffer.from('A=\xe4\n', 'latin1')
  writeFileSync(operator.path('.env'), bytes)
  t.match(await operator.run('init', '--write'), { status: 1, out: '', err: '.env was not written: it is not text in UTF-8' })
  t.strictSame(readFileSync(operator.path('.env')), bytes)
  t.notOk(existsSync(operator.path('.env.init-tmp')))
})

t.test('if a temporary file cannot be made, the error is one line', async t => {
  const target = 'x'.repeat(250)
  const operator = appFolder(t, { 'package.json': packageJson(), [target]: 'A=1\n' })
  symlinkSync(target, operator.path('.env'))
  t.match(await operator.run('init', '--write'), { status: 1, out: '', err: /^fastify-sealed-session: \.env was not written: ENAMETOOLONG[^\n]*\n$/ })
  t.equal(read(operator, target), 'A=1\n')
})

t.test('several inits at once give one key and one plugin file', async t => {
  const operator = appFolder(t, { 'package.json': packageJson(), '.env': 'A=1\n' })
  const results = await Promise.all(Array.from({ length: 5 }, async () => await operator.run('init', '--write')))
  t.ok(results.some(({ status }) => status === 0))
  for (const { status, err } of results) if (status !== 0) t.match(err, /was not written: .*init-tmp exists: another init is running, or was interrupted/)
  t.equal(read(operator, '.env').match(/^SESSION_KEY=/gm)?.length, 1)
  t.equal(read(operator, '.gitignore'), '.env\n')
  t.notOk(readdirSync(operator.folder).some(name => name.endsWith('-tmp')))
})

t.test('an init that is killed while it writes leaves the files as they were', async t => {
  const operator = appFolder(t, { 'package.json': packageJson(), '.env': 'A=1\n', '.gitignore': '.env' })
  const killed = join(freshFolder(t), 'killed.cjs')
  writeFileSync(killed, 'const files = require("node:fs/promises"); files.rename = files.link = () => process.kill(process.pid, "SIGKILL")')
  const { signal } = spawnSync(process.execPath, ['--require', killed, ...MAIN, 'init', '--write'], { cwd: operator.folder, env: plainEnv() })
  t.equal(signal, 'SIGKILL')
  t.equal(read(operator, '.env'), 'A=1\n')
  t.notOk(existsSync(operator.path('plugins')))
  const { status, err } = await operator.run('init', '--write')
  t.match({ status, err }, { status: 1, err: /\.env was not written: .*\.env\.init-tmp exists: another init is running, or was interrupted\. Remove that file then\n$/ })
  t.equal(read(operator, '.env'), 'A=1\n')
})
