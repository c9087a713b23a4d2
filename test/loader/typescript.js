'use strict'

/** With this module loaded, `require` takes TypeScript. */

const Module = require('node:module')
const { javascriptOf } = require('./compile.js')

Module._extensions['.ts'] = (module, path) => { module._compile(javascriptOf(path), path) }
