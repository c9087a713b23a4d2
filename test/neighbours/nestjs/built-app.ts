import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Test } from 'tap'
import { freshFolder, runIn } from '../../helpers/installed'
import { plainEnv } from '../../helpers/process'

const ROOT = resolve(__dirname, '../../..')
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
const NEEDED = ['@fastify', '@nestjs', '@types', 'fastify', 'reflect-metadata', 'rxjs']

/** The app, type-checked and compiled against the built package, in a folder that looks like a user's project. */
export function built (t: Test, format: 'module' | 'commonjs'): string {
  const folder = freshFolder(t)
  cpSync(join(__dirname, 'app'), folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: format }))
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  for (const name of NEEDED) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  symlinkSync(ROOT, join(modules, 'fastify-sealed-session'))
  t.equal(compilerSays(folder), '', 'the app compiles')
  return folder
}

function compilerSays (folder: string): string {
  try {
    return runIn(folder, process.execPath, TSC, '-p', folder)
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

export interface RunningApp {
  readonly address: string
  /** All that it printed. */
  readonly printed: () => string
  /** Has the app close itself; the exit code of its process, which nothing else ends. */
  close (): Promise<number | null>
}

export async function started (t: Test, folder: string, main: string): Promise<RunningApp> {
  const child = fork(join(folder, 'dist', main), { cwd: folder, env: plainEnv({ NODE_NO_WARNINGS: '1' }), execArgv: [], silent: true })
  t.teardown(() => { child.kill('SIGKILL') })
  let printed = ''
  for (const output of [child.stdout, child.stderr]) output?.on('data', chunk => { printed += String(chunk) })
  const closed = once(child, 'close')
  const [address] = await Promise.race([once(child, 'message'), closed.then(() => { throw new Error(`the app did not start: ${printed}`) })])
  return {
    address: String(address),
    printed: () => printed,
    async close () {
      child.send('close')
      const [code] = await closed
      return code as number | null
    }
  }
}
