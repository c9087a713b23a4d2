// `npm run docs` builds the site, `npm run docs:dev` serves it and follows changes of the Markdown.

import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** `npm ci`, unless what the lock file names is there. */
function install () {
  const installed = join(HERE, 'node_modules/.package-lock.json')
  const lock = join(HERE, 'package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  execFileSync('npm', ['ci'], { cwd: HERE, stdio: 'inherit', shell: process.platform === 'win32' })
}

install()
const { build, serve } = await import('./site.mjs')
await (process.argv[2] === 'dev' ? serve() : build())
