import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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

/** The tarball of the package as it would be published; the build that `npm test` made goes into it. */
export function packed (t: Test): string {
  const folder = freshFolder(t)
  const [{ filename }] = JSON.parse(npm(ROOT, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder)) as [{ filename: string }]
  return join(folder, filename)
}

/** A fresh folder with the tarball, and whatever else is named, installed as a stranger would. */
export function installed (t: Test, ...others: string[]): string {
  const folder = freshFolder(t)
  writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "private": true }')
  npm(folder, 'install', packed(t), ...others)
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
