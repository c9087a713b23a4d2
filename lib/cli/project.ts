import { stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { parseEnv } from 'node:util'
import { isObject } from '../checks'
import { looksLikeKey } from '../keyring/key-material'
import { reasonOf } from '../store-failure'
import { readWhole } from '../stores/whole-file'

/** What `init` finds in the folder of an app. */
export interface Project {
  /** The type of the package is "module". */
  readonly isModule: boolean
  readonly isTypeScript: boolean
  /** TypeScript that compiles to CommonJS, and whose compiler accepts no `import … from` then. */
  readonly needsImportEquals: boolean
  /** Its version, or the range of package.json if it is not installed. */
  readonly fastify: string
  readonly isNest: boolean
  /** Session libraries that also add `request.session`. */
  readonly sessions: readonly string[]
  /** The folder for plugins, such as `src/plugins`. */
  readonly folder: string
  readonly hasFolder: boolean
  /** `@fastify/autoload` is there, and loads this folder. */
  readonly isAutoloaded: boolean
  /** The app reads `.env` by itself. */
  readonly readsEnv: boolean
  /** Packages that must be installed, and those for development. */
  readonly missing: readonly string[]
  readonly missingForTypes: readonly string[]
  readonly env: EnvState
  /** Other users than the owner of `.env` may read it. */
  readonly isEnvOpen: boolean
  readonly isEnvIgnored: boolean
}

/** What `.env` has as SESSION_KEY: `none` without the file. */
export type EnvState = 'none' | 'missing' | 'empty' | 'wrong' | 'key'

export const ENV = '.env'
export const KEY_NAME = 'SESSION_KEY'
export const OLD_LIBRARY = '@fastify/secure-session'

const WANTED_MAJOR = 5
const OTHERS_PERMISSIONS = 0o077
const SESSIONS = [OLD_LIBRARY, '@fastify/session']
const ENV_READERS = ['fastify-cli', 'dotenv', '@fastify/env', '@nestjs/config']

/** @throws if there is no package.json, if a file cannot be read, or if the app has no Fastify 5 */
export async function readProject (cwd: string): Promise<Project> {
  const { type, scripts, has, rangeOf } = await readPackage(cwd)
  const tsconfig = await readText(cwd, 'tsconfig.json')
  const isModule = type === 'module'
  const isTypeScript = tsconfig !== null || has('typescript')
  const isNest = has('@nestjs/core')
  const folder = isNest ? 'src/plugins' : await folderOfPlugins(cwd)
  const hasFolder = await isFolder(join(cwd, folder))
  return {
    isModule,
    isTypeScript,
    needsImportEquals: !isModule && needsImportEquals(tsconfig ?? ''),
    fastify: fastifyOf(cwd, isNest, rangeOf),
    isNest,
    sessions: SESSIONS.filter(has),
    folder,
    hasFolder,
    isAutoloaded: hasFolder && has('@fastify/autoload'),
    readsEnv: scripts.includes('--env-file') || ENV_READERS.some(has),
    missing: ['fastify-sealed-session', 'fastify-plugin'].filter(name => !has(name)),
    missingForTypes: isTypeScript && !has('@types/node') ? ['@types/node'] : [],
    env: envState(await readText(cwd, ENV)),
    isEnvOpen: await isOpen(join(cwd, ENV)),
    isEnvIgnored: await isEnvIgnored(cwd)
  }
}

/** Whether the text of `.env` has a key. */
export function envState (text: string | null): EnvState {
  if (text === null) return 'none'
  const value = parseEnv(text)[KEY_NAME]
  if (value === undefined) return 'missing'
  if (value === '') return 'empty'
  return looksLikeKey(value) ? 'key' : 'wrong'
}

/** The text of a file of the project; null if it is not there. */
export async function readText (folder: string, name: string): Promise<string | null> {
  try {
    return (await readWhole(join(folder, name), () => {}))?.text ?? null
  } catch (error) {
    throw new Error(`${name} cannot be read: ${reasonOf(error)}`)
  }
}

interface Package {
  readonly type: unknown
  /** All of them, as text. */
  readonly scripts: string
  readonly has: (name: string) => boolean
  readonly rangeOf: (name: string) => string
}

async function readPackage (cwd: string): Promise<Package> {
  const text = await readText(cwd, 'package.json')
  if (text === null) throw new Error('this folder has no package.json: go to that of your app, or run "npm init" first')
  const found = parsed(text)
  if (!isObject(found)) throw new Error('package.json is not valid: it must be JSON, an object')
  const { type, scripts = {}, dependencies, devDependencies, peerDependencies, optionalDependencies } = found
  const all = [peerDependencies, optionalDependencies, devDependencies, dependencies].filter(isObject)
  const ranges = new Map(all.flatMap(Object.entries))
  return {
    type,
    scripts: JSON.stringify(scripts),
    has: name => ranges.has(name),
    rangeOf: name => String(ranges.get(name) ?? '')
  }
}

function parsed (json: string): unknown {
  try {
    return JSON.parse(json.replace(/^\ufeff/, ''))
  } catch {
    return null
  }
}

/** @throws if the app has no Fastify, or one of another major version */
function fastifyOf (cwd: string, isNest: boolean, rangeOf: Package['rangeOf']): string {
  const range = rangeOf('fastify')
  const version = versionOf('fastify', cwd)
  if (isNest && rangeOf('@nestjs/platform-fastify') === '') {
    throw new Error('NestJS runs on Express here: npm install @nestjs/platform-fastify, and use its FastifyAdapter')
  }
  if (!isNest && range === '') throw new Error(`package.json has no fastify: npm install fastify@${WANTED_MAJOR}`)
  const found = version ?? range
  const major = /^[~^=v]*(\d+)/.exec(found)?.[1]
  if (major !== undefined && Number(major) !== WANTED_MAJOR) {
    throw new Error(`fastify ${WANTED_MAJOR} is needed; found ${found}: npm install fastify@${WANTED_MAJOR}`)
  }
  if (version !== null) return version
  return range === '' ? 'by NestJS, not installed yet' : `${range}, not installed yet`
}

/** The version of an installed package. */
function versionOf (name: string, cwd: string): string | null {
  try {
    return (require(require.resolve(`${name}/package.json`, { paths: [cwd] })) as { version: string }).version
  } catch {
    return null
  }
}

/** By the text: a tsconfig.json may have comments, and what it extends is not read. */
function needsImportEquals (tsconfig: string): boolean {
  const text = tsconfig.replace(/^\s*\/\/.*$/gm, '')
  return /"verbatimModuleSyntax"\s*:\s*true/.test(text) && /"module"\s*:\s*"(?:node\w*|commonjs)"/i.test(text)
}

async function folderOfPlugins (cwd: string): Promise<string> {
  for (const folder of ['src/plugins', 'plugins']) if (await isFolder(join(cwd, folder))) return folder
  return await isFolder(join(cwd, 'src')) ? 'src/plugins' : 'plugins'
}

async function isFolder (path: string): Promise<boolean> {
  return await stat(path).then(stats => stats.isDirectory(), () => false)
}

/** Windows has other permissions, which Node.js does not report. */
async function isOpen (path: string): Promise<boolean> {
  const mode = await stat(path).then(stats => stats.mode, () => 0)
  return process.platform !== 'win32' && (mode & OTHERS_PERMISSIONS) !== 0
}

/**
 * Whether git ignores `.env`, by the .gitignore of this folder and of those above it, up to the folder of the
 * repository. Of the patterns that match, the last one counts: https://git-scm.com/docs/gitignore
 */
async function isEnvIgnored (cwd: string): Promise<boolean> {
  let isIgnored = false
  for (const folder of await foldersOfRepository(cwd)) {
    const path = relative(folder, join(cwd, ENV)).split(sep).join('/')
    for (const line of (await readText(folder, '.gitignore') ?? '').split(/\r?\n/)) {
      const pattern = line.replace(/^!/, '').trimEnd()
      if (pattern !== '' && matches(pattern, path)) isIgnored = !line.startsWith('!')
    }
  }
  return isIgnored
}

/** From that of the repository to this one; only this one outside a repository. */
async function foldersOfRepository (cwd: string): Promise<string[]> {
  const folders = [cwd]
  for (let folder = cwd; !await stat(join(folder, '.git')).then(() => true, () => false);) {
    const above = dirname(folder)
    if (above === folder) return [cwd]
    folders.unshift(above)
    folder = above
  }
  return folders
}

/** A pattern with a slash, other than at its end, is for the whole path; else it is for the name. */
function matches (pattern: string, path: string): boolean {
  const isForPath = pattern.includes('/')
  const regex = pattern.replace(/^\//, '').replace(/\*\*\/|\*|\?|[^\w/]/g, found => {
    return { '**/': '(?:.*/)?', '*': '[^/]*', '?': '[^/]' }[found] ?? `\\${found}`
  })
  return new RegExp(`^${regex}$`).test(isForPath ? path : ENV)
}
