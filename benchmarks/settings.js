'use strict'

const { parseArgs } = require('node:util')

/** The defaults take four to five minutes on two cores. */
const DEFAULTS = {
  /** How often all servers start anew. */
  starts: 5,
  /** Rounds for each start. */
  rounds: 4,
  /** Requests of one round, to each server on each route. With 500, two equal servers came out 5 µs apart. */
  requests: 1500,
  /** Requests to each server on each route before the first round. */
  'warm-up': 4000,
  connections: 16
}

/** Settings from flags such as `--rounds 3`; throws where a value is none. With `--dry` the result files stay as they are. */
module.exports = function readSettings (args) {
  const flags = Object.fromEntries(Object.keys(DEFAULTS).map(name => [name, { type: 'string' }]))
  const { values } = parseArgs({ args, options: { ...flags, dry: { type: 'boolean', default: false } } })
  const settings = {}
  for (const [name, otherwise] of Object.entries(DEFAULTS)) {
    const number = Number(values[name] ?? otherwise)
    if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} takes a whole number above 0; found ${values[name]}`)
    settings[name] = number
  }
  return { ...settings, write: !values.dry }
}
