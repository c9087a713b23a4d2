'use strict'

const { subscribe } = require('node:diagnostics_channel')
const sealed = require('./sealed')

const NAMES = ['opened', 'refused', 'sealed', 'renewed', 'revoked']

/** This package with one subscriber at each channel, which does what a metric does: it counts. */
module.exports = function sealedHeard (options) {
  const counts = Object.fromEntries(NAMES.map(name => [name, 0]))
  for (const name of NAMES) subscribe(`fastify-sealed-session:${name}`, () => { counts[name]++ })
  return sealed(options)
}
