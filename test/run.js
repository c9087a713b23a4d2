'use strict'

// `npm test`. What is given behind `--` goes to tap; where that names files, it runs these alone.

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { mkdirSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const { basename, dirname, join, resolve } = require('node:path')
const { compileAll } = require('./loader/compile')

const ROOT = resolve(__dirname, '..')
const GROUPS = join(ROOT, '.tap/groups')
const FILES_EACH = 8
/** They use up what a process has, or measure it. */
const ALONE = ['keys/guarded-memory-limit.test.ts', 'speed/allocations.test.ts']

/** The test files of each folder, cut into groups that share a process. Those that run alone come first, then the larger groups. */
function groups () {
  const files = readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.test.ts')).sort()
  const folders = new Map()
  for (const file of files.filter(file => !ALONE.includes(file))) folders.set(dirname(file), [...folders.get(dirname(file)) ?? [], file])
  const groups = []
  for (const [folder, all] of folders) {
    const count = Math.ceil(all.length / FILES_EACH)
    for (let index = 0; index < count; index++) {
      const name = [folder === '.' ? 'others' : folder, ...(count === 1 ? [] : [index + 1])].join('-')
      groups.push({ name, files: all.filter((_, at) => at % count === index) })
    }
  }
  return [...ALONE.map(file => ({ name: basename(file, '.test.ts'), files: [file] })), ...groups.sort((a, b) => b.files.length - a.files.length)]
}

/** The programs that run the groups. */
function programs () {
  rmSync(GROUPS, { recursive: true, force: true })
  mkdirSync(GROUPS, { recursive: true })
  return groups().map(({ name, files }) => {
    const program = join(GROUPS, `${name}.js`)
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

async function main (given) {
  const build = succeeds('npm', 'run', '--silent', 'build')
  compileAll()
  if (!await build) return false
  const namesFiles = given.some(argument => !argument.startsWith('-'))
  return await succeeds(join(ROOT, 'node_modules/.bin/tap'), ...namesFiles ? given : ['--timeout=900', ...given, ...programs()])
}

main(process.argv.slice(2)).then(isPassed => { process.exitCode = isPassed ? 0 : 1 })
