import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { compilerErrors } from '../helpers/compiler'
import { installed, runIn } from '../helpers/installed'

const FIXTURE = join(__dirname, 'types-fixture')

const OPTIONS = { strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: false, target: 'es2022', types: ['node'] }
const RESOLUTIONS: Record<string, object> = {
  'nodenext, from CommonJS': { module: 'nodenext' },
  'nodenext, from an ES module': { module: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' }
}

t.setTimeout(600_000)

t.test('the packed declarations reject code that must not compile', async t => {
  const folder = installed(t, 'fastify@5', '@types/node@20')
  for (const [name, options] of Object.entries(RESOLUTIONS)) {
    const isModule = name !== 'nodenext, from CommonJS'
    for (const file of readdirSync(FIXTURE)) {
      const project = join(folder, `${name.replace(/\W/g, '')}-${file.replace('.ts', '')}`)
      mkdirSync(project)
      copyFileSync(join(FIXTURE, file), join(project, file))
      if (isModule) asModule(join(project, file))
      writeFileSync(join(project, 'package.json'), JSON.stringify({ type: isModule ? 'module' : 'commonjs' }))
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...OPTIONS, ...options } }))
      t.strictSame(compilerErrors(project), [], `${file} under ${name}`)
    }
  }
})

/** Uses what the page on the session says of `SessionData`. */
const USE = `import fastify from 'fastify'
import secureSession, { type Session } from 'fastify-sealed-session'
const app = fastify()
app.register(secureSession, { key: process.env['SESSION_KEY'] })
app.get('/', async request => request.session.get('user')?.id)
export function use (session: Session): string[] {
  const id: number | undefined = session.get('user')?.id
  // @ts-expect-error an id is a number
  session.user = { id: 'ada' }
  return [...(session.cart ?? []), String(id)]
}
`
/** How an app declares its values for @fastify/session. */
const FOR_FASTIFY_SESSION = `import 'fastify'
declare module 'fastify' {
  interface Session {
    user: { id: number, name: string }
    cart: string[]
  }
}
`
/** Uses what the page of recipes says of a second session. */
const USE_SECOND = `import fastify from 'fastify'
import type { Session } from 'fastify-sealed-session'
import type { Admin } from './session'
const app = fastify()
app.get('/', async ({ session, admin }) => {
  const role: 'editor' | 'owner' | undefined = admin.get('role')
  const name: string | undefined = session.get('user')?.name
  // @ts-expect-error no such role
  admin.set('role', 'guest')
  // @ts-expect-error it is of the other session
  admin.set('user', { name })
  return [role, name]
})
export const made: Session<Admin> = app.createSecureSession<Admin>({ role: 'owner' }, 'admin')
`

t.test('the TypeScript of the docs compiles unchanged, in a file of its own and in a module', async t => {
  const folder = installed(t, 'fastify@5', '@types/node@20')
  const [declared] = codeBlocks('docs/session.md', 'ts') as [string]
  const [second] = codeBlocks('docs/recipes/named-sessions.md', 'ts') as [string]
  const fromFastifySession = codeBlocks('docs/migration.md', 'ts').find(block => block.includes('extends Old')) as string
  const projects: Record<string, Record<string, string>> = {
    'session.d.ts': { 'session.d.ts': declared, 'use.ts': USE },
    'session.d.ts, after another import': {
      'session.d.ts': `import type {} from 'fastify-sealed-session'\n${declared}`, 'use.ts': USE
    },
    'session.ts': { 'session.ts': declared, 'use.ts': USE },
    'the page on migration, from @fastify/session': {
      'old.d.ts': FOR_FASTIFY_SESSION, 'session.d.ts': fromFastifySession, 'use.ts': USE
    },
    'in a module': { 'use.ts': `${declared}\n${USE}` },
    'recipes, session.ts': { 'session.ts': second, 'use.ts': USE_SECOND },
    'recipes, session.d.ts': { 'session.d.ts': second, 'use.ts': USE_SECOND }
  }
  for (const [name, files] of Object.entries(projects)) compiles(t, folder, name, files, 'commonjs')
})

t.test('the first program of the README, and the code of the first pages, is strict TypeScript as well', async t => {
  const folder = installed(t, 'fastify@5', '@types/node@20')
  const readme = { 'app.ts': codeBlocks('README.md', 'js')[0] as string }
  const pages: Record<string, string> = {}
  for (const page of ['login', 'session', 'options']) {
    codeBlocks(`docs/${page}.md`, 'js').forEach((code, index) => { pages[`${page}-${index}.ts`] = `${BEFORE}${asImport(code)}` })
  }
  for (const [name, files] of Object.entries({ readme, pages })) compiles(t, folder, name, files, 'module')
})

t.test('the plugin file that the command writes compiles in a strict project', async t => {
  const folder = installed(t, 'fastify@5', '@types/node@20')
  const compilerOptions = { ...OPTIONS, module: 'nodenext', noPropertyAccessFromIndexSignature: true }
  const kinds = {
    commonjs: [{}, {}],
    'commonjs-verbatim': [{}, { verbatimModuleSyntax: true }],
    module: [{ type: 'module' }, { verbatimModuleSyntax: true, isolatedModules: true }]
  } as const
  for (const [name, [json, options]] of Object.entries(kinds)) {
    const project = join(folder, name)
    mkdirSync(project)
    const dependencies = { fastify: '5', '@fastify/secure-session': '8' }
    writeFileSync(join(project, 'package.json'), JSON.stringify({ ...json, dependencies }))
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...compilerOptions, ...options } }))
    runIn(project, join(folder, 'node_modules/.bin/fastify-sealed-session'), 'init', '--write')
    t.match(readFileSync(join(project, 'plugins/session.ts'), 'utf8'), 'secureSessionOpener')
    t.strictSame(compilerErrors(project), [], name)
  }
})

function compiles (t: Test, folder: string, name: string, files: Record<string, string>, type: string): void {
  const project = join(folder, name.replace(/\W+/g, '-'))
  mkdirSync(project)
  for (const [file, text] of Object.entries(files)) writeFileSync(join(project, file), text)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type }))
  const compilerOptions = { ...OPTIONS, module: 'nodenext' }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  t.strictSame(compilerErrors(project), [], name)
}

/** What the pages take for granted, and how the sessions of their examples are declared. */
const BEFORE = `import type { FastifyInstance, FastifyPluginCallback } from 'fastify'
import secureSession, { type RedisRevocationClient, type Session } from 'fastify-sealed-session'
declare module 'fastify-sealed-session' {
  interface SessionData { user: { id: number }, cart: string[], accessToken: string, language: string, seen: boolean }
}
declare const app: FastifyInstance
declare const redis: RedisRevocationClient
declare const swagger: FastifyPluginCallback<{ openapi: object }>
export { app, redis, secureSession, swagger, type Session }
`

function asImport (code: string): string {
  return code.replace(/const (\{ \w+ \}) = require\(('[^']+')\)/, 'import $1 from $2')
}

function codeBlocks (page: string, language: string): string[] {
  const text = readFileSync(resolve(__dirname, '../..', page), 'utf8')
  return Array.from(text.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g')), ([, code]) => code as string)
}

/** `import x = require()` is of CommonJS alone. */
function asModule (file: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace(/import (\w+) = require\(('[^']+')\)/, 'import $1 from $2'))
}
