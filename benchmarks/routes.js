'use strict'

const { NAME, NOTHING, PAGE } = require('./fixture')

/**
 * What is asked of every server, and what it must answer: `value` is in the body, `writes` says that the session goes
 * out again. The cookie is the session's own, or what a stranger made of it.
 */
const ROUTES = [
  { name: 'untouched', path: '/untouched', cookie: 'own', value: PAGE, writes: false },
  { name: 'read', path: '/read', cookie: 'own', value: PAGE, writes: false },
  { name: 'read-object', path: '/read-object', cookie: 'own', value: NAME, writes: false },
  { name: 'write', path: '/write', cookie: 'own', value: PAGE, writes: true },
  { name: 'forged', path: '/read', cookie: 'forged', value: NOTHING, writes: false },
  { name: 'junk', path: '/read', cookie: 'junk', value: NOTHING, writes: false }
]

const BODY_BYTES = JSON.stringify({ value: PAGE }).length

module.exports = { BODY_BYTES, ROUTES }
