'use strict'

const neostandard = require('neostandard')

const FOLDERS = [
  'core', 'cookies', 'bound', 'keyring', 'revocation', 'session', 'stores', 'legacy', 'options', 'plugin', 'guard', 'fresh', 'cli'
]
const FASTIFY = {
  group: ['fastify', 'fastify-plugin', '@fastify/cookie'],
  message: 'Only options, plugin, guard and fresh-tokens.ts know Fastify.'
}
const FILES = { group: ['fs', 'node:fs', 'node:fs/*'], message: 'Only stores and the command know files.' }

/** Imports go one way, see docs/architecture.md: these files import from these folders of lib alone. */
function mayImport (files, folders, ...others) {
  const forbidden = FOLDERS.filter(folder => !folders.includes(folder)).map(folder => `**/${folder}/**`)
  const upwards = { group: [...forbidden, '**/index'], message: 'Imports go one way: see docs/architecture.md.' }
  return { files, rules: { 'no-restricted-imports': ['error', { patterns: [upwards, ...others] }] } }
}

/** These files of a folder import from itself and from these folders. */
function folderMayImport (folder, folders, ...others) {
  return mayImport([`lib/${folder}/**/*.ts`], [folder, ...folders], ...others)
}

module.exports = [
  { ignores: ['dist/**', 'docs/.site/built/**', 'docs/.site/.vitepress/cache/**', '.tap/**', '**/node_modules/**'] },
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
  mayImport(['lib/{errors,time,timers,checks,bounded-map,events,store-failure,site-path,write-hooks}.ts'], [], FASTIFY, FILES),
  mayImport(['lib/revocation-contract.ts'], [], FASTIFY, FILES),
  mayImport(['lib/sealer.ts'], ['core', 'keyring', 'session', 'options'], FASTIFY),
  mayImport(['lib/fresh-tokens.ts'], ['fresh'], FILES),
  folderMayImport('core', [], FASTIFY, FILES),
  folderMayImport('cookies', [], FASTIFY, FILES),
  folderMayImport('bound', ['core'], FASTIFY, FILES),
  folderMayImport('keyring', ['core'], FASTIFY, FILES),
  folderMayImport('revocation', ['core'], FASTIFY, FILES),
  folderMayImport('session', ['core', 'bound'], FASTIFY, FILES),
  folderMayImport('stores', ['keyring'], FASTIFY),
  folderMayImport('legacy', ['core', 'keyring'], FASTIFY, FILES),
  folderMayImport('options', ['core', 'cookies', 'keyring', 'session', 'stores', 'legacy']),
  folderMayImport('plugin', FOLDERS.filter(folder => folder !== 'cli' && folder !== 'fresh')),
  folderMayImport('guard', ['session', 'plugin']),
  folderMayImport('fresh', ['session', 'stores'], FASTIFY, FILES),
  folderMayImport('cli', ['core', 'cookies', 'keyring', 'session', 'stores'], FASTIFY)
]
