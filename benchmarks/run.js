'use strict'

const { mkdirSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const page = require('./report/page')
const readSettings = require('./settings')

/** Runs the parts in turn, prints the tables and writes them, the figures and the charts beside this file. */
async function main () {
  const { parts, numbers, write } = readSettings(process.argv.slice(2))
  const progress = progressSince(Date.now())
  const results = { ...page.environment(), settings: numbers }
  for (const name of parts) results[name] = await require(`./${name}`).run(numbers, line => progress(`${name}: ${line}`))
  const markdown = page.markdownOf(results, parts)
  const charts = page.chartsOf(results, parts)
  console.log(markdown)
  if (write) writeAll(results, markdown, charts)
  progress(write ? 'written: benchmarks/results.md, results.json and results/*.svg' : 'nothing was written')
}

function progressSince (startedMs) {
  return line => {
    const seconds = Math.round((Date.now() - startedMs) / 1000)
    console.error(`[${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}] ${line}`)
  }
}

function writeAll (results, markdown, charts) {
  writeFileSync(join(__dirname, 'results.md'), markdown)
  writeFileSync(join(__dirname, 'results.json'), JSON.stringify(results, null, 2) + '\n')
  mkdirSync(join(__dirname, 'results'), { recursive: true })
  for (const [name, svg] of Object.entries(charts)) writeFileSync(join(__dirname, 'results', `${name}.svg`), svg)
}

main().catch(error => {
  console.error(error)
  // The servers that still run end with the channel to this process.
  process.exit(1)
})
