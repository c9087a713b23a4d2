'use strict'

const Module = require('node:module')
const { relative, resolve } = require('node:path')
const tap = require('tap')

const TESTS = resolve(__dirname, '..')

/** What test files and their helpers import: the subtest of the file that runs. */
let current = tap.t
const forTests = { __esModule: true, get default () { return current }, get t () { return current } }

const load = Module._load
Module._load = function (request, parent, isMain) {
  return request === 'tap' && parent?.filename.startsWith(TESTS) === true ? forTests : load(request, parent, isMain)
}

/** Runs test files one after the other in this process, each as a subtest: starting a process takes longer than most tests. */
module.exports = function runGroup (files) {
  for (const file of files) {
    tap.test(relative(TESTS, file), async t => {
      current = t
      require(file)
    })
  }
}
