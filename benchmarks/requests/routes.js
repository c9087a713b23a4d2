'use strict'

const { NAME, NOTHING, PAGE, WRITTEN_PAGE } = require('../session/data')

/**
 * What is asked of every server, and what it must answer: `value` is in the body; `sets` is what the reply writes.
 * `cookie` is the session's own, one that was written 7 hours ago (with a stamp of half an hour ago, or none), what a stranger
 * made of it, or none.
 */
const ROUTES = [
  { name: 'untouched', path: '/untouched', cookie: 'own', value: PAGE },
  { name: 'read', path: '/read', cookie: 'own', value: PAGE },
  { name: 'read an object', path: '/read-object', cookie: 'own', value: NAME },
  { name: 'read with a stamp', path: '/read', cookie: 'stamped', value: PAGE, needsStamp: true },
  { name: 'write', path: '/write', cookie: 'own', value: PAGE, sets: 'session' },
  { name: 'renew', path: '/read', cookie: 'due', value: PAGE, sets: 'stamp', needsStamp: true },
  { name: 'forged', path: '/read', cookie: 'forged', value: NOTHING },
  { name: 'junk', path: '/read', cookie: 'junk', value: NOTHING },
  { name: 'no cookie', path: '/read', cookie: 'none', value: NOTHING }
]

/** Where a competitor that no goal is about is measured at the other sizes. */
const FEW_ROUTES = ['untouched', 'read', 'write']

const BODY_BYTES = JSON.stringify({ value: PAGE }).length

module.exports = { BODY_BYTES, FEW_ROUTES, ROUTES, WRITTEN_PAGE }
