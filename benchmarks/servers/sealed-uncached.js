'use strict'

const sealed = require('./sealed')

/** This package without its cache of opened tokens: every request decrypts. */
module.exports = function sealedUncached ({ options, ...rest }) {
  return sealed({ ...rest, options: { tokenCache: 0, ...options } })
}
