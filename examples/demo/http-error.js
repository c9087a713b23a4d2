'use strict'

/** An error that becomes the error page of this status. */
function httpError (statusCode, message, options) {
  return Object.assign(new Error(message, options), { statusCode })
}

module.exports = { httpError }
