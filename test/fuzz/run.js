'use strict'

// `npm run test:fuzz -- [words of file names] [--seconds N] [--seed N] [--path P] [--property TITLE]`
// Without --seconds it is a short run of always the same inputs. With it, each file is tried for so long, from a random
// seed. A failure prints how to run it again.

const { spawnSync } = require('node:child_process')
const { readdirSync } = require('node:fs')
const { join, resolve } = require('node:path')
const { parseArgs } = require('node:util')

const ROOT = resolve(__dirname, '../..')
const TAP = join(ROOT, 'node_modules/.bin/tap')
const NAMES = ['seconds', 'seed', 'path', 'property']
const SLACK_SECONDS = 600

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(NAMES.map(name => [name, { type: 'string' }]))
})
const given = Object.fromEntries(NAMES.map(name => {
  const variable = `FUZZ_${name.toUpperCase()}`
  return [variable, values[name] ?? process.env[variable] ?? '']
}))
const seconds = Number(given.FUZZ_SECONDS)
if (!(seconds >= 0)) throw new Error(`--seconds takes a number; found ${given.FUZZ_SECONDS}`)

const isChosen = file => positionals.length === 0 || positionals.some(words => file.includes(words))
const files = readdirSync(__dirname).filter(file => file.endsWith('.fuzz.ts') && isChosen(file))
if (files.length === 0) throw new Error(`no file in test/fuzz has a name with ${positionals.join(' or ')} in it`)

const { status } = spawnSync(TAP, [
  '--disable-coverage', '--allow-incomplete-coverage', `--timeout=${Math.ceil(seconds) + SLACK_SECONDS}`,
  ...files.map(file => join(__dirname, file))
], { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...given } })
process.exitCode = status ?? 1
