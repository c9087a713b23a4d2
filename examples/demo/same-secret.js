'use strict'

const { createHash, timingSafeEqual } = require('node:crypto')

/** Compares in a time that tells nothing of where the two differ. Hashed first, for timingSafeEqual wants equal lengths. */
function isSameSecret (given, expected) {
  if (typeof given !== 'string' || typeof expected !== 'string') return false
  return timingSafeEqual(digest(given), digest(expected))
}

function digest (text) {
  return createHash('sha256').update(text).digest()
}

module.exports = { isSameSecret }
