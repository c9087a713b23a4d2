'use strict'

const { createHash } = require('node:crypto')
const { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } = require('node:fs')
const { join, resolve } = require('node:path')

const ROOT = resolve(__dirname, '../..')
/** Each file is compiled once: what comes out is kept here, under the hash of all that decides it. */
const CACHE = join(ROOT, 'node_modules/.cache/compiled-tests')
const CONFIG = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')).compilerOptions
const DECIDES = JSON.stringify([CONFIG, require('typescript/package.json').version, readFileSync(__filename, 'utf8')])

/** The JavaScript of a TypeScript file of this repository, with its source map. Types are not checked: `npm run types` does that. */
function javascriptOf (path) {
  const source = readFileSync(path, 'utf8')
  const cached = cachedAt(path, source)
  try {
    return readFileSync(cached, 'utf8')
  } catch {
    const javascript = compile(path, source)
    mkdirSync(CACHE, { recursive: true })
    // Renamed into its place, since several processes may compile one file at the same time.
    const temporary = `${cached}.${process.pid}`
    writeFileSync(temporary, javascript)
    renameSync(temporary, cached)
    return javascript
  }
}

function cachedAt (path, source) {
  return join(CACHE, createHash('sha256').update(JSON.stringify([DECIDES, path, source])).digest('hex'))
}

function compile (path, source) {
  const ts = require('typescript')
  const { options } = ts.convertCompilerOptionsFromJson({
    ...CONFIG, rootDir: undefined, outDir: undefined, declaration: false, sourceMap: true, inlineSources: true
  }, ROOT)
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(source, { fileName: path, compilerOptions: options, reportDiagnostics: true })
  if (diagnostics.length > 0) {
    throw new SyntaxError(ts.formatDiagnostics(diagnostics, { getCurrentDirectory: () => ROOT, getCanonicalFileName: name => name, getNewLine: () => '\n' }))
  }
  const map = { ...JSON.parse(sourceMapText), file: path, sources: [path] }
  delete map.sourceRoot
  const url = `data:application/json;charset=utf-8;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`
  return outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, `//# sourceMappingURL=${url}`)
}

/** Compiles all that tests load, so that no process of theirs has to, and drops what is kept of earlier versions. */
function compileAll () {
  const kept = new Set()
  for (const folder of ['lib', 'types', 'test']) {
    for (const file of readdirSync(join(ROOT, folder), { recursive: true })) {
      if (/(?<!\.d)\.ts$/.test(file)) keep(join(ROOT, folder, file))
    }
  }
  keep(join(ROOT, 'index.ts'))
  for (const file of readdirSync(CACHE)) {
    if (!kept.has(join(CACHE, file))) rmSync(join(CACHE, file), { force: true })
  }

  function keep (path) {
    javascriptOf(path)
    kept.add(cachedAt(path, readFileSync(path, 'utf8')))
  }
}

module.exports = { javascriptOf, compileAll }
