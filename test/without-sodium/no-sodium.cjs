'use strict'

// Loaded before a test file: the package does not get sodium-native, as on a platform that it has no binary for. Other
// packages, such as the peer that makes legacy cookies, get it.

const Module = require('node:module')

const load = Module._load
Module._load = function (name, parent, ...rest) {
  const isPackage = /(?:lib\/core\/sodium\.ts|dist\/[^]*\.js)$/.test(parent?.filename ?? '')
  if (name === 'sodium-native' && isPackage) throw new Error('Cannot find addon \'.\' imported from sodium-native')
  return load.call(this, name, parent, ...rest)
}
