'use strict'

/** Throws a value that need not be an error. */
module.exports = function raise (value) {
  throw value
}
