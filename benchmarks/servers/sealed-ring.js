'use strict'

const { keyOf } = require('../../dist/lib/keyring/lifecycle')
const { writeKeyring } = require('../../dist/lib/keyring/document')
const sealed = require('./sealed')

const STEP_MS = 1000

/** This package with a keyring of these keys, in hex: the first is active, the others were before it and open. */
module.exports = function sealedRing ({ keys }) {
  const nowMs = Date.now()
  const text = writeKeyring(keys.map((hex, index) => keyOf(Buffer.from(hex, 'hex'), nowMs - (index + 1) * STEP_MS)))
  return sealed({ options: { keyring: { read: async () => text, update: async () => false } } })
}
