import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import secureSession from '../../index'
import { parseKeyring, type KeyRecord } from '../../lib/keyring/document'
import { keyOf } from '../../lib/keyring/lifecycle'
import { DAY_MS, MINUTE_MS } from '../../lib/time'
import { addRoutes, bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { freshFolder } from '../helpers/installed'
import { runSnippet } from '../helpers/snippet'
import { plainEnv } from '../helpers/process'
import { pageOf, ROOT } from './page'

/** What the tests of docs/keys.md have in common: its blocks of code, and places to run them. */

export { ROOT }
const CLI = join(ROOT, 'dist/lib/cli/main.js')
export const { PAGE, blocks, block } = pageOf('keys.md')
export const RING_PATH = '/etc/app/keys.json'

export function linesOf (text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, line]) => line as string)
}

export const ROTATION = { activateInMs: 60 * MINUTE_MS, keepForMs: 90 * DAY_MS }

export function freshRing (createdAtMs = Date.now()): KeyRecord[] {
  return [keyOf(KEY, createdAtMs)]
}

/** The page's own code, run as it stands there, but for the path of the ring. Gives what the expression at its end does. */
export function run (code: string, scope: Record<string, unknown>, result = 'undefined'): any {
  const ownRequire = (name: string): unknown => name === 'fastify-sealed-session' ? secureSession : scope[name]
  const names = Object.entries(scope).filter(([name]) => /^\w+$/.test(name))
  return runSnippet(code, { secureSession, require: ownRequire, ...Object.fromEntries(names) }, result)
}

export async function appOf (t: Test, code: string, scope: Record<string, unknown> = {}): Promise<TestApp> {
  const app = bareApp(t)
  run(code, { app, ...scope })
  await app.after()
  addRoutes(app)
  await app.ready()
  return app
}

/** The cookies of one browser in another one, that goes to another server. */
export function movedTo (app: TestApp, { cookies }: Browser): Browser {
  const browser = new Browser(app)
  for (const [name, value] of cookies) browser.cookies.set(name, value)
  return browser
}

/** Of `kubectl`, what the page uses: one secret with one file and a version, which `replace` must name. */
const KUBECTL = `
for word in "$@"; do
  case "$word" in --from-file=*) file="\${word##*=}" ;; esac
done
version () { cksum < "$STATE/secret" | tr -d ' '; }
case "$*" in
  create*) cat "$file" > "$STATE/secret" ;;
  get*yaml) printf 'apiVersion: v1\\ndata:\\n  keys.json: %s\\nkind: Secret\\nmetadata:\\n  resourceVersion: "%s"\\n' "$(base64 -w0 < "$STATE/secret")" "$(version)" ;;
  replace*)
    cat > "$STATE/given"
    grep -qx "  resourceVersion: \\"$(version)\\"" "$STATE/given" || { echo 'Conflict: the object has been modified' >&2; exit 1; }
    sed -n 's/^  keys.json: //p' "$STATE/given" | base64 -d > "$STATE/secret.new" && mv "$STATE/secret.new" "$STATE/secret" ;;
  rollout*) touch "$STATE/restarted" ;;
  *) exit 9 ;;
esac`

const VAULT = `
[ "$*" = "kv put -cas=0 -mount=secret app/session-keys keyring=@keys.json" ]
cat keys.json > "$STATE/secret"`

interface Shell {
  /** Where scripts run, and where the stand-ins keep `secret` and `restarted`. */
  readonly folder: string
  /** Runs a script and gives what it prints. Throws where one of its commands fails. */
  readonly sh: (script: string, env?: Record<string, string>, cwd?: string) => string
}

/** A shell that has this package's command, and stand-ins for the others that the page uses. */
export function shell (t: Test): Shell {
  const folder = freshFolder(t)
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const commands = { npx: `shift; exec "${process.execPath}" "${CLI}" "$@"`, kubectl: KUBECTL, vault: VAULT }
  for (const [name, script] of Object.entries(commands)) writeFileSync(join(bin, name), `#!/bin/sh -e\n${script}\n`, { mode: 0o755 })
  return {
    folder,
    sh (script, env = {}, cwd = folder) {
      const all = plainEnv({ ...env, STATE: folder, PATH: `${bin}:${process.env['PATH'] ?? ''}` })
      return execFileSync('sh', ['-ec', script], { cwd, env: all, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    }
  }
}

export function keysIn (path: string): KeyRecord[] {
  return parseKeyring(readFileSync(path, 'utf8'))
}
