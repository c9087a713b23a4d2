'use strict'

const { NAME, NOTHING, PAGE, SESSION_BYTES, WRITTEN_PAGE } = require('../session/data')

/**
 * What is requested of every server, and what it must answer: `value` is in the body; `sets` is the cookie it sets.
 * `cookie` is the session's own; one that was written 7 hours ago, without or with a stamp; a forged one, junk, or
 * none. `isSealedOnly`: there is no such thing in other servers.
 */
const ROUTES = [
  { name: 'untouched', path: '/untouched', cookie: 'untouched', value: PAGE },
  { name: 'reads a string', path: '/read', cookie: 'own', value: PAGE },
  { name: 'reads an object', path: '/read-object', cookie: 'own', value: NAME },
  { name: 'reads with a stamp', path: '/read', cookie: 'stamped', value: PAGE, isSealedOnly: true },
  { name: 'writes all values', path: `/write-all?bytes=${SESSION_BYTES}`, cookie: 'own', value: PAGE, sets: 'session' },
  { name: 'changes one value', path: '/write', cookie: 'own', value: PAGE, sets: 'session' },
  { name: 'renews', path: '/read', cookie: 'due', value: PAGE, sets: 'stamp', isSealedOnly: true },
  { name: 'forged', path: '/read', cookie: 'forged', value: NOTHING },
  { name: 'junk', path: '/read', cookie: 'junk', value: NOTHING },
  { name: 'no cookie', path: '/read', cookie: 'none', value: NOTHING }
]

/** The routes that are measured at sizes other than SESSION_BYTES. */
const ROUTES_AT_ALL_SIZES = ['reads a string', 'changes one value']

const BODY_BYTES = JSON.stringify({ value: PAGE }).length

module.exports = { BODY_BYTES, ROUTES, ROUTES_AT_ALL_SIZES, WRITTEN_PAGE }
