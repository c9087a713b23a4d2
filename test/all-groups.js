'use strict'

const { spawnSync } = require('node:child_process')

/** All groups of tests, one after the other; what each took stands at the end. */
const GROUPS = ['test', 'test:services', 'test:browser', 'test:packages', 'test:fuzz', 'test:proofs']

const lines = GROUPS.map(group => {
  const startMs = Date.now()
  console.log(`## npm run ${group}`)
  const { status } = spawnSync('npm', ['run', '--silent', group], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
  return `${status === 0 ? 'passed' : 'failed'}  ${String(Math.round((Date.now() - startMs) / 1000)).padStart(5)} s  npm run ${group}`
})
console.log(lines.join('\n'))
