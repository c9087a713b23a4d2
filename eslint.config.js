'use strict'

const neostandard = require('neostandard')

/** The arrows of the code go one way: what each folder of lib/ must not import. */
const FASTIFY = { group: ['fastify', 'fastify-plugin', '@fastify/cookie'], message: 'Only options and plugin know Fastify.' }
const FILES = { group: ['fs', 'node:fs', 'node:fs/*'], message: 'The core is bytes and time: no files.' }

function mayNotImport (files, folders, ...others) {
  const upwards = { group: folders.map(folder => `**/${folder}/**`).concat('**/plugin', '**/index'), message: 'Imports go one way: see docs/architecture.md.' }
  return {
    files,
    rules: { 'no-restricted-imports': ['error', { patterns: [upwards, ...others] }] }
  }
}

module.exports = [
  { ignores: ['dist/**', '.tap/**', '**/node_modules/**'] },
  ...neostandard({ ts: true }),
  {
    rules: {
      'max-lines-per-function': ['error', { max: 50, skipComments: true, skipBlankLines: true }]
    }
  },
  { files: ['test/**', 'benchmarks/**', 'examples/**'], rules: { 'max-lines-per-function': 'off' } },
  { files: ['lib/**/*.ts', 'index.ts', 'types/**/*.ts'], rules: { complexity: ['error', 20] } },
  {
    files: ['lib/**/*.ts', 'index.ts', 'types/**/*.ts'],
    rules: { '@stylistic/max-len': ['error', { code: 120, ignoreUrls: true }] }
  },
  mayNotImport(['lib/errors.ts', 'lib/time.ts', 'lib/timers.ts', 'lib/checks.ts', 'lib/bounded-map.ts', 'lib/events.ts', 'lib/store-failure.ts'], ['core', 'keyring', 'revocation', 'stores', 'legacy', 'session', 'cookies', 'options', 'plugin', 'guard', 'cli'], FASTIFY, FILES),
  mayNotImport(['lib/core/*.ts'], ['keyring', 'revocation', 'stores', 'legacy', 'session', 'cookies', 'options', 'plugin', 'guard', 'cli'], FASTIFY, FILES),
  mayNotImport(['lib/keyring/*.ts'], ['revocation', 'stores', 'legacy', 'session', 'cookies', 'options', 'plugin', 'guard', 'cli'], FASTIFY, FILES),
  mayNotImport(['lib/revocation/*.ts'], ['keyring', 'stores', 'legacy', 'session', 'cookies', 'options', 'plugin', 'guard', 'cli'], FASTIFY, FILES),
  mayNotImport(['lib/stores/*.ts'], ['core', 'revocation', 'legacy', 'session', 'cookies', 'options', 'plugin', 'guard', 'cli'], FASTIFY),
  mayNotImport(['lib/legacy/*.ts'], ['revocation', 'stores', 'session', 'cookies', 'options', 'plugin', 'guard', 'cli'], FASTIFY, FILES),
  mayNotImport(['lib/session/*.ts'], ['keyring', 'revocation', 'stores', 'legacy', 'cookies', 'options', 'plugin', 'guard', 'cli'], FASTIFY, FILES),
  mayNotImport(['lib/cookies/*.ts'], ['core', 'keyring', 'revocation', 'stores', 'legacy', 'session', 'options', 'plugin', 'guard', 'cli'], FASTIFY, FILES),
  mayNotImport(['lib/cli/**/*.ts'], ['revocation', 'legacy', 'session', 'cookies', 'options', 'plugin'], FASTIFY),
  mayNotImport(['lib/options/*.ts'], ['plugin', 'cli']),
  mayNotImport(['lib/sealer.ts'], ['revocation', 'plugin', 'cli'], FASTIFY),
  mayNotImport(['lib/revocation-contract.ts'], ['core', 'keyring', 'revocation', 'stores', 'legacy', 'session', 'cookies', 'options', 'plugin', 'guard', 'cli'], FASTIFY, FILES)
]
