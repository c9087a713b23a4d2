import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainEnv } from './process'

/** Servers are installed where the PATH of a user who is not root does not lead. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`

/**
 * The path of the first of these programs that is on the PATH. Where there is none, Debian's package is installed if that can be
 * done; else it throws, with one line that says what to install.
 */
export function binaryOf (names: readonly string[], aptPackage: string): string {
  const found = find(names)
  if (found !== undefined) return found
  const install = `apt-get install -y ${aptPackage}`
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) throw new Error(`these tests need ${names.join(' or ')} on the PATH: install one, on Debian with "${install}"`)
  const env = plainEnv({ DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', PATH })
  // Several test files come here at the same time, and apt does not wait for apt.
  const once = `${names.map(name => `command -v ${name}`).join(' || ')} || { apt-get update -q && ${install} --no-install-recommends; }`
  execFileSync('flock', [join(tmpdir(), 'install-with-apt.lock'), 'sh', '-c', once], { env, stdio: ['ignore', 2, 2] })
  return find(names) as string
}

function find (names: readonly string[]): string | undefined {
  return PATH.split(':').flatMap(folder => names.map(name => join(folder, name))).find(existsSync)
}
