import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compilerErrors } from '../helpers/compiler'
import { freshFolder } from '../helpers/installed'
import { block, ROOT } from './migration-page'
import { pageOf } from './page'

/** TypeScript of the pages, compiled where the old library has been uninstalled. */

const NEST = pageOf('recipes/nestjs.md')
const OLD = '@fastify/secure-session'
const OPTIONS = {
  strict: true, noEmit: true, target: 'es2022', module: 'nodenext', types: ['node'], preserveSymlinks: true, experimentalDecorators: true, emitDecoratorMetadata: true
}

t.setTimeout(600_000)

/** A project with all packages but the old library, and ours as it is published. */
function project (t: Test): string {
  const folder = freshFolder(t)
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@fastify' && !name.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  mkdirSync(join(modules, '@fastify'))
  for (const name of readdirSync(join(ROOT, 'node_modules/@fastify'))) {
    if (`@fastify/${name}` !== OLD) symlinkSync(join(ROOT, 'node_modules/@fastify', name), join(modules, '@fastify', name))
  }
  for (const name of ['package.json', 'dist']) cpSync(join(ROOT, name), join(modules, 'fastify-sealed-session', name), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  return folder
}

/** What the compiler says of these files, line by line. */
function errorsIn (folder: string, files: Record<string, string>, skipLibCheck: boolean): string[] {
  for (const [name, source] of Object.entries(files)) writeFileSync(join(folder, name), source)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...OPTIONS, skipLibCheck }, files: Object.keys(files) }))
  return compilerErrors(folder)
}

const USER = `
import fastify from 'fastify'
import flash from '@fastify/flash'
import passport from '@fastify/passport'
import secureSession, { type SecureSessionPluginOptions, type Session, type SessionData } from 'fastify-sealed-session'
const app = fastify()
const options: SecureSessionPluginOptions = { key: 'x' }
app.register(secureSession, options).register(flash).register(passport.default.secureSession())
app.get('/', async request => {
  const session: Session<SessionData> = request.session
  const id: number | undefined = session.get('user')?.id
  session.unset('user')
  return id
})
`

const CONTROLLER = `
import { Controller, Get, Session } from '@nestjs/common'
import type secureSession from 'fastify-sealed-session'
@Controller() export class Account { @Get() id (@Session() session: secureSession.Session): number | undefined { return session.get('user')?.id } }
`

t.test('docs/migration.md and docs/recipes: the TypeScript compiles with flash and passport, with and without skipLibCheck', async t => {
  const folder = project(t)
  const renamed = { 'session.ts': block(t, 'ts', 'user: { id: number }'), 'user.ts': USER }
  const nest = {
    'app.module.ts': 'export class AppModule {}',
    'controller.ts': CONTROLLER,
    'guard.ts': NEST.block(t, 'ts', 'LoggedInGuard'),
    'main.ts': NEST.block(t, 'ts', 'NestFactory.create')
  }
  t.strictSame(errorsIn(folder, { ...renamed, ...nest }, true), [])

  const ofTheOld = (line: string): boolean => line.includes(OLD)
  t.ok(errorsIn(folder, renamed, false).some(ofTheOld), 'the types of flash look for the old library')
  const declared = { 'old.d.ts': pageOf('recipes/other-plugins.md').block(t, 'ts', `declare module '${OLD}'`) }
  t.strictSame(errorsIn(folder, { ...renamed, ...declared }, false).filter(ofTheOld), [])
})

t.test('docs/recipes: the NestJS guard is the guard of the app that other tests build', async t => {
  t.equal(NEST.block(t, 'ts', 'LoggedInGuard'), readFileSync(join(ROOT, 'test/neighbours/nestjs/app/logged-in.guard.ts'), 'utf8'))
})
