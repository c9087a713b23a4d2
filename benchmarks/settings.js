'use strict'

const { parseArgs } = require('node:util')

/** The defaults take four minutes on two idle cores. */
const DEFAULTS = {
  /** How often all servers start anew. */
  starts: 6,
  /** Rounds for each start. */
  rounds: 4,
  /** Requests of one round, to each server on each route. */
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
