'use strict'

const { httpError } = require('./http-error')

/** A hook for private routes. A session alone proves nothing, for every visitor who saw a form has one. Throws 401. */
async function requireUser ({ session }) {
  if (!session.has('user')) throw httpError(401, 'nobody is signed in')
}

module.exports = { requireUser }
