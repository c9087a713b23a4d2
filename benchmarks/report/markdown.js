'use strict'

function table (head, rows) {
  return [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')
}

/** A median with its quartiles; a dash for what was not measured. */
function spread (values, digits = 1) {
  if (values === undefined) return '–'
  const [median, lower, upper] = [values.median, values.lower, values.upper].map(value => value.toFixed(digits))
  return `${median} (${lower} to ${upper})`
}

function grouped (number) {
  return Math.round(number).toLocaleString('en-US')
}

function kilobytes (bytes) {
  return `${(bytes / 1024).toFixed(1)} KB`
}

module.exports = { grouped, kilobytes, spread, table }
