import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { plainEnv } from './process'

/** An example, started as a user starts it. */
export interface Started {
  readonly printed: string
  /** Sends SIGTERM; the exit code. */
  stop (): Promise<number | null>
}

/**
 * Starts it, and waits until it has printed what there is to know.
 * @param stderr what becomes of what it says there
 */
export async function started (t: Test, args: readonly string[], env: Record<string, string>, stderr: 'inherit' | 'ignore' = 'inherit'): Promise<Started> {
  const child = spawn(process.execPath, args, { env: plainEnv(env), stdio: ['ignore', 'pipe', stderr] })
  const exit = once(child, 'exit')
  t.teardown(() => { child.kill('SIGKILL') })
  let printed = ''
  for await (const line of createInterface(child.stdout)) {
    printed += `${line}\n`
    if (line === 'Ctrl-C stops it.') break
  }
  return {
    printed,
    async stop () {
      child.kill('SIGTERM')
      const [code] = await exit
      return code
    }
  }
}

export function found (pattern: RegExp, text: string): string {
  const match = pattern.exec(text)?.[1]
  if (match === undefined) throw new Error(`nothing like ${pattern} in: ${text}`)
  return match
}
