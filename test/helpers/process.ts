import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The options with which another process runs TypeScript of this repository. */
export const TYPESCRIPT = ['--import', pathToFileURL(join(__dirname, '../loader/register.mjs')).href]

/** The environment of a process like any other: without what the test runner adds, and not measured for coverage. */
export function plainEnv (more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env }
  for (const name of Object.keys(env)) {
    if (/^_?TAP|^NODE_V8_COVERAGE$|^NODE_OPTIONS$/.test(name)) delete env[name]
  }
  return { ...env, _TAPJS_PROCESSINFO_COVERAGE_: '0', ...more }
}
