'use strict'

// `npm test`, and with `--kind` the groups of tests that need more than npm: `--kind=browser` runs `*.browser.ts`.
// All else that is given goes to tap; where that names files, it runs these alone.

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { mkdirSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const { basename, dirname, join, resolve } = require('node:path')
const { compileAll } = require('./loader/compile')

const ROOT = resolve(__dirname, '..')
const TAP = join(ROOT, 'node_modules/.bin/tap')
const GROUPS = join(ROOT, '.tap/groups')
const FILES_EACH = 8
const KIND = '--kind='
/** They use up what a process has, or measure it. */
const ALONE = ['keys/guarded-memory-limit.test.ts', 'speed/allocations.test.ts']

/**
 * The test files of each folder, cut into groups that share a process, the larger groups first. Those that run alone come
 * before.
 */
function groups (suffix) {
  const files = readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith(suffix)).sort()
  const folders = new Map()
  for (const file of files.filter(file => !ALONE.includes(file))) {
    folders.set(dirname(file), [...folders.get(dirname(file)) ?? [], file])
  }
  const groups = []
  for (const [folder, all] of folders) {
    const count = Math.ceil(all.length / FILES_EACH)
    for (let index = 0; index < count; index++) {
      const name = [folder === '.' ? 'others' : folder, ...(count === 1 ? [] : [index + 1])].join('-')
      groups.push({ name, files: all.filter((_, at) => at % count === index) })
    }
  }
  const alone = ALONE.filter(file => files.includes(file)).map(file => ({ name: basename(file, suffix), files: [file] }))
  return [...alone, ...groups.sort((a, b) => b.files.length - a.files.length)]
}

/** The programs that run the groups of a kind. */
function programs (kind) {
  const folder = join(GROUPS, kind)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return groups(`.${kind}.ts`).map(({ name, files }) => {
    const program = join(folder, `${name}.js`)
    const paths = files.map(file => join(__dirname, file))
    writeFileSync(program, `require(${JSON.stringify(join(__dirname, 'loader/group'))})(${JSON.stringify(paths, null, 2)})\n`)
    return program
  })
}

/** Resolves to true where it succeeds. */
async function succeeds (command, ...args) {
  const [code] = await once(spawn(command, args, { cwd: ROOT, stdio: 'inherit' }), 'close')
  return code === 0
}

/** What the library is covered by, `npm test` alone shows. */
const WITHOUT_COVERAGE = ['--disable-coverage', '--allow-incomplete-coverage']

async function main (given) {
  const kind = given.find(argument => argument.startsWith(KIND))?.slice(KIND.length) ?? 'test'
  const forTap = given.filter(argument => !argument.startsWith(KIND))
  const build = kind === 'test' ? succeeds('npm', 'run', '--silent', 'build') : true
  compileAll()
  if (!await build) return false
  const namesFiles = forTap.some(argument => !argument.startsWith('-'))
  const options = ['--timeout=900', ...(kind === 'test' ? [] : WITHOUT_COVERAGE)]
  return await succeeds(TAP, ...options, ...forTap, ...(namesFiles ? [] : programs(kind)))
}

main(process.argv.slice(2)).then(isPassed => { process.exitCode = isPassed ? 0 : 1 })
