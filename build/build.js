'use strict'

// Makes `dist`: one file of JavaScript for each entry point, and the declarations that these reach.

const { execFileSync } = require('node:child_process')
const { readdirSync, readFileSync, rmSync } = require('node:fs')
const { dirname, join, resolve } = require('node:path')
const { buildSync } = require('esbuild')

const ROOT = resolve(__dirname, '..')
const DIST = join(ROOT, 'dist')
const LIBRARY = ['index', 'lib/sealer', 'lib/revocation-contract', 'lib/fresh-tokens']
const COMMAND = 'lib/cli/main'

function build () {
  rmSync(DIST, { recursive: true, force: true })
  const tsc = require.resolve('typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', ROOT, '--emitDeclarationOnly'], { stdio: 'inherit' })
  deleteUnreachable(LIBRARY.map(entry => join(DIST, `${entry}.d.ts`)))
  buildSync({
    entryPoints: [...LIBRARY, COMMAND].map(entry => join(ROOT, `${entry}.ts`)),
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20.19',
    outbase: ROOT,
    outdir: DIST,
    logLevel: 'warning',
    // Names stay, so a stack trace names the functions of lib. Without a limit, Node.js prints a very long line there.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 120
  })
}

/** Deletes the declarations of modules that no entry point imports. */
function deleteUnreachable (entries) {
  const reached = new Set(entries)
  for (const file of reached) {
    const imports = readFileSync(file, 'utf8').matchAll(/(?:from |import\(|require\()['"](\.[^'"]+)['"]/g)
    for (const [, path] of imports) reached.add(`${resolve(dirname(file), path)}.d.ts`)
  }
  for (const name of readdirSync(DIST, { recursive: true })) {
    const file = join(DIST, name)
    if (name.endsWith('.d.ts') && !reached.has(file)) rmSync(file)
  }
}

build()
