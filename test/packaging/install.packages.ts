import { copyFileSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installed, nodeOf, packed, runIn } from '../helpers/installed'

const { tarballProblems, versionProblems } = require('../../build/release-check') as {
  tarballProblems: (packed: object) => string[]
  versionProblems: (manifest: object, changelog: string, tag: string | undefined, tags: readonly string[]) => string[]
}
const FORMS = join(__dirname, 'import-forms')
const MAJORS = [20, 22, 24]

t.setTimeout(600_000)

function copyForms (folder: string): void {
  for (const file of readdirSync(FORMS)) copyFileSync(join(FORMS, file), join(folder, file))
}

t.test('installed from its tarball, the plugin registers in every form of import, on every Node.js', async t => {
  const folder = installed(t, 'fastify@5', '@types/node@20')
  copyForms(folder)
  for (const major of MAJORS) {
    const node = nodeOf(major)
    t.match(runIn(folder, node, '--version'), new RegExp(`^v${major}\\.`))
    for (const form of ['require.cjs', 'default.mjs', 'named.mjs', 'dynamic.mjs', 'sealer.cjs', 'sealer.mjs', 'contract.cjs', 'contract.mjs', 'fresh-tokens.cjs', 'fresh-tokens.mjs']) {
      t.equal(runIn(folder, node, form), 'ok\n', `${form} under Node ${major}`)
    }
  }
  t.match(runIn(folder, 'npx', '--no-install', 'fastify-sealed-session', 'generate'), /^[\w-]{43}\n$/)
})

t.test('the sealer works without Fastify', async t => {
  const folder = installed(t)
  t.notOk(existsSync(join(folder, 'node_modules/fastify')))
  copyForms(folder)
  for (const form of ['sealer.cjs', 'sealer.mjs']) t.equal(runIn(folder, process.execPath, form), 'ok\n', form)
})

t.test('the tarball contains what a user needs and nothing else, and is small', async t => {
  const tarball = packed()
  const lines = runIn('.', 'tar', '-tzvf', tarball).trim().split('\n').map(line => line.split(/\s+/))
  const unpackedSize = lines.reduce((sum, [, , bytes]) => sum + Number(bytes), 0)
  const files = lines.map(line => ({ path: (line.at(-1) as string).replace(/^package\//, '') }))
  t.strictSame(tarballProblems({ size: statSync(tarball).size, unpackedSize, files }), [])
  t.match(tarballProblems({ size: 200_001, unpackedSize: 700_001, files: [...files.slice(1), { path: '.env' }] }), [
    /missing/, /\.env should not be published/, /200001 bytes/, /700001 bytes/
  ])
})

t.test('a release needs a version, its date in the changelog and a tag of that version', async t => {
  const changelog = '## Unreleased\n\n## 1.2.3 - 2030-01-31\n'
  t.strictSame(versionProblems({ version: '1.2.3' }, changelog, undefined, ['v1.2.2']), [])
  t.strictSame(versionProblems({ version: '1.2.3' }, changelog, 'v1.2.3', ['v1.2.3']), [])
  t.match(versionProblems({ version: '1.2.3' }, changelog, undefined, ['v1.2.3']), [/tag v1\.2\.3 already/])
  t.match(versionProblems({ version: '1.2.3' }, changelog, 'v1.2.4', []), [/the tag is v1\.2\.4/])
  t.match(versionProblems({ version: '1.02' }, '## Unreleased\n', undefined, []), [/is 1\.02, not/, /no heading "## 1\.02/])
})

t.test('publint and attw report nothing', async t => {
  const tarball = packed()
  t.match(runIn('.', 'npx', '--no-install', 'publint', '--strict', tarball), /All good/)
  t.match(runIn('.', 'npx', '--no-install', 'attw', tarball), /No problems found/)
})
