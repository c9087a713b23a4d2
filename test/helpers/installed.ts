import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Test } from 'tap'
import { plainEnv } from './process'

const ROOT = resolve(__dirname, '../..')

export function runIn (folder: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: folder, env: plainEnv({ npm_config_update_notifier: 'false' }), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function npm (folder: string, ...args: string[]): string {
  return runIn(folder, 'npm', ...args, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error')
}

export function freshFolder (t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-sealed-session-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return folder
}

/** What is packed, or decides what is. */
const PACKED = ['dist', 'docs/errors.md', 'docs/options.md', 'CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json']

function hashOfPackage (): string {
  const hash = createHash('sha256')
  for (const entry of PACKED) {
    const path = join(ROOT, entry)
    const files = statSync(path).isDirectory() ? readdirSync(path, { recursive: true, encoding: 'utf8' }).sort().map(file => join(path, file)) : [path]
    for (const file of files) if (statSync(file).isFile()) hash.update(`${file}\0`).update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex').slice(0, 20)
}

/**
 * A folder that is filled once, and again only where the package or `what` is another, and then shared by all test files. It is filled
 * under another name first, since several files may come here at the same time.
 */
function filledOnce (what: string, fill: (folder: string) => void): string {
  const all = join(ROOT, 'node_modules/.cache/packed')
  const prefix = `${what.replace(/[^\w.-]+/g, '_')}@`
  const name = prefix + hashOfPackage()
  const folder = join(all, name)
  if (existsSync(folder)) return folder
  mkdirSync(all, { recursive: true })
  const temporary = mkdtempSync(join(all, 'new-'))
  fill(temporary)
  for (const other of readdirSync(all)) if (other.startsWith(prefix) && other !== name) rmSync(join(all, other), { recursive: true, force: true })
  try {
    renameSync(temporary, folder)
  } catch {
    rmSync(temporary, { recursive: true })
  }
  return folder
}

/** The tarball of the package as it would be published; what `npm run build` has built goes into it. */
export function packed (): string {
  const folder = filledOnce('tarball', folder => { npm(ROOT, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder) })
  return join(folder, readdirSync(folder)[0] as string)
}

/** A fresh folder whose node_modules has the tarball, and whatever else is named, installed as a stranger would. */
export function installed (t: Test, ...others: string[]): string {
  const shared = filledOnce(['installed', ...others].join('-'), folder => {
    writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "private": true }')
    npm(folder, 'install', packed(), ...others)
  })
  const folder = freshFolder(t)
  writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "private": true }')
  symlinkSync(join(shared, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** The binary of another Node.js, from the package that the `node` package of npm would choose; kept for the next run. */
export function nodeOf (major: number): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(ROOT, 'node_modules/.cache/node', String(major))
  const binary = join(folder, 'node_modules', name, 'bin/node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    npm(folder, 'install', `${name}@${major}`)
  }
  return binary
}
