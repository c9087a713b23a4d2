'use strict'

const { spawnSync } = require('node:child_process')
const { join } = require('node:path')

/** Each program of this folder that shows something by running for a while, as briefly as it shows it. */
const PROOFS = [
  ['fleet', '--seconds', '15'],
  ['fleet', '--store', 'redis', '--seconds', '15'],
  ['kill-the-writer', '--kills', '60'],
  ['redis-restart', '--seconds', '15'],
  ['revocation-fleet', '--seconds', '15'],
  ['hostile-requests', '--seconds', '20']
]
const LOADER = join(__dirname, '../loader/register.mjs')

for (const [name, ...options] of PROOFS) {
  const startMs = Date.now()
  const { status } = spawnSync(process.execPath, ['--import', LOADER, join(__dirname, `${name}.ts`), ...options], { stdio: 'inherit' })
  console.log(`# ${status === 0 ? 'ok' : 'not ok'}: ${[name, ...options].join(' ')} (${Math.round((Date.now() - startMs) / 1000)} s)\n`)
  if (status !== 0) process.exitCode = 1
}
