'use strict'

require('../../test/loader/typescript')
const { keyOf } = require('../../lib/keyring/lifecycle.ts')
const { writeKeyring } = require('../../lib/keyring/document.ts')
const sealedUncached = require('./sealed-uncached')

const STEP_MS = 1000

/** This package without its cache, and with a keyring of these keys, in hex: the first seals, the others only open. */
module.exports = function sealedRing ({ keys }) {
  const nowMs = Date.now()
  const text = writeKeyring(keys.map((hex, index) => keyOf(Buffer.from(hex, 'hex'), nowMs - (index + 1) * STEP_MS)))
  return sealedUncached({ options: { keyring: { read: async () => text, update: async () => false } } })
}
