'use strict'

// `npm run test:mutation`: Stryker, for the folders and files that are named first, else for all.
// What comes after them goes to Stryker.

const { spawnSync } = require('node:child_process')
const { join } = require('node:path')

/** The tests that run for the mutants of a folder: to run all takes minutes before the first mutant. */
const TESTS = {
  'lib/core': ['format', 'keys', 'splitting', 'sealer.test.ts'],
  'lib/cookies': ['options', 'plugin', 'splitting', 'session/own-options.test.ts', 'session/sealed-attributes.test.ts'],
  'lib/bound': ['bound', 'format/vectors.test.ts'],
  'lib/keyring': ['keyring', 'keys', 'options', 'cli', 'legacy/secure-session.test.ts', 'format/vectors.test.ts'],
  'lib/revocation': ['revocation', 'events', 'tokens'],
  'lib/session': ['session', 'plugin', 'format', 'legacy', 'tokens', 'revocation/revoke-others.test.ts'],
  'lib/plugin': ['plugin', 'session', 'guards', 'events', 'legacy', 'splitting', 'revocation', 'options', 'neighbours', 'bound', 'tokens', 'tenants']
}
const ROOT = join(__dirname, '../..')

const given = process.argv.slice(2)
const firstOption = given.findIndex(argument => argument.startsWith('-'))
const named = firstOption === -1 ? given : given.slice(0, firstOption)
const options = given.slice(named.length)
const sources = named.length === 0 ? Object.keys(TESTS) : named.map(path => path.replace(/\/$/, ''))
const folders = Object.keys(TESTS).filter(folder => sources.some(source => `${source}/`.startsWith(`${folder}/`)))
const tests = new Set(folders.flatMap(folder => TESTS[folder]).map(path => `test/${path}`))
const isGivenTests = options.some(option => option.startsWith('--testFiles'))
const testFiles = isGivenTests ? [] : ['--testFiles', filesIn([...tests], '*.test.ts')]

function filesIn (paths, name) {
  return paths.map(path => /\.ts\b/.test(path) ? path : `${path}/**/${name}`).join()
}

const { status } = spawnSync(join(ROOT, 'node_modules/.bin/stryker'), [
  'run', join(__dirname, 'stryker.config.mjs'), '--mutate', filesIn(sources, '*.ts'), ...testFiles, ...options
], { cwd: ROOT, stdio: 'inherit' })
process.exitCode = status ?? 1
