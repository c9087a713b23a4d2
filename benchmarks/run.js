'use strict'

const { writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { measure } = require('./measure')
const { markdownOf, resultsOf } = require('./report')
const readSettings = require('./settings')

/** Measures everything, prints the tables and writes them beside this file. */
async function main () {
  const settings = readSettings(process.argv.slice(2))
  const measured = await measure(settings, line => console.error(line))
  const results = resultsOf(measured, settings)
  const markdown = markdownOf(results)
  console.log(markdown)
  if (settings.write) {
    writeFileSync(join(__dirname, 'results.md'), markdown)
    writeFileSync(join(__dirname, 'results.json'), JSON.stringify(results, null, 2) + '\n')
  }
}

main().catch(error => {
  console.error(error)
  // The servers that still run end with the channel to this process.
  process.exit(1)
})
