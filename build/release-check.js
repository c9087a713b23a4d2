'use strict'

/**
 * Whether the package can be released: `npm run release:check`, in a workflow with `-- --tag v1.2.3`. Prints a line for
 * each check, and exits with 1 if one failed.
 */

const { execFileSync } = require('node:child_process')
const { mkdtempSync, readFileSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join, resolve } = require('node:path')
const { parseArgs } = require('node:util')

const ROOT = resolve(__dirname, '..')
const MOST_PACKED_BYTES = 200_000
const MOST_UNPACKED_BYTES = 700_000
const WANTED = [
  'package.json', 'README.md', 'LICENSE', 'SECURITY.md', 'CHANGELOG.md', 'docs/errors.md', 'docs/options.md',
  'dist/index.js', 'dist/index.d.ts', 'dist/lib/sealer.js', 'dist/lib/sealer.d.ts', 'dist/lib/fresh-tokens.js',
  'dist/lib/fresh-tokens.d.ts', 'dist/lib/revocation-contract.js', 'dist/lib/revocation-contract.d.ts',
  'dist/lib/cli/main.js'
]
const VERSION = /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-[\da-z-]+(?:\.[\da-z-]+)*)?$/i
const OTHERS = /^dist\/(?:types|lib)\/[\w/-]+\.d\.ts$/

/**
 * What is wrong with a tarball: files that are missing or should not be there, and its size.
 * @param {{ size: number, unpackedSize: number, files: { path: string }[] }} packed as `npm pack --json` says
 * @returns {string[]}
 */
function tarballProblems ({ size, unpackedSize, files }) {
  const paths = files.map(({ path }) => path)
  const missing = WANTED.filter(path => !paths.includes(path))
  const unexpected = paths.filter(path => !WANTED.includes(path) && !OTHERS.test(path))
  const isOver = unpackedSize > MOST_UNPACKED_BYTES
  return [
    ...missing.map(path => `${path} is missing`),
    ...unexpected.map(path => `${path} should not be published`),
    ...size > MOST_PACKED_BYTES ? [`the tarball has ${size} bytes, more than ${MOST_PACKED_BYTES}`] : [],
    ...isOver ? [`unpacked it has ${unpackedSize} bytes, more than ${MOST_UNPACKED_BYTES}`] : []
  ]
}

/**
 * @param tag the one that is released; undefined before there is one
 * @param tags of the repository
 */
function versionProblems ({ version }, changelog, tag, tags) {
  const heading = new RegExp(`^## ${version.replaceAll('.', '\\.')} - \\d{4}-\\d\\d-\\d\\d$`, 'm')
  return [
    ...VERSION.test(version) ? [] : [`the version in package.json is ${version}, not as in 1.2.3 or 1.2.3-beta.1`],
    ...heading.test(changelog) ? [] : [`CHANGELOG.md has no heading "## ${version} - <date>"`],
    ...tag === undefined || tag === `v${version}` ? [] : [`the tag is ${tag}, and the version ${version}`],
    ...tag === undefined && tags.includes(`v${version}`) ? [`there is a tag v${version} already`] : []
  ]
}

function addressProblems (manifest) {
  return ['author', 'bugs', 'homepage', 'repository'].filter(name => manifest[name] === undefined)
    .map(name => `package.json has no "${name}"`)
}

function gitLines (...args) {
  return run('git', ...args).split('\n').filter(line => line !== '')
}

function run (command, ...args) {
  return execFileSync(command, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** What a tool printed, if it failed. */
function complaintsOf (name, tarball) {
  try {
    run('npx', '--no-install', ...name, tarball)
    return []
  } catch ({ stdout, stderr }) {
    return [stdout + stderr]
  }
}

function main () {
  const { values: { tag } } = parseArgs({ options: { tag: { type: 'string' } } })
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const changelog = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8')
  // Before packing, which changes the pages for a moment.
  const tree = gitLines('status', '--porcelain')
  const folder = mkdtempSync(join(tmpdir(), 'release-'))
  try {
    const [packed] = JSON.parse(run('npm', 'pack', '--silent', '--json', '--pack-destination', folder))
    const tarball = join(folder, packed.filename)
    const checks = {
      'version and changelog': versionProblems(manifest, changelog, tag, gitLines('tag', '--list')),
      'addresses in package.json': addressProblems(manifest),
      'nothing uncommitted': tree,
      [`tarball: ${packed.size} bytes, unpacked ${packed.unpackedSize}`]: tarballProblems(packed),
      publint: complaintsOf(['publint', '--strict'], tarball),
      attw: complaintsOf(['attw'], tarball)
    }
    for (const [name, problems] of Object.entries(checks)) {
      console.log(`${problems.length === 0 ? 'ok    ' : 'failed'}  ${name}`)
      for (const problem of problems) console.log(`        ${problem}`)
    }
    process.exitCode = Object.values(checks).every(problems => problems.length === 0) ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (require.main === module) main()

module.exports = { tarballProblems, versionProblems }
