'use strict'

const { randomBytes } = require('node:crypto')
const { httpError } = require('./http-error')
const { isSameSecret } = require('./same-secret')

const READING = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The token that every form of this session carries. A session that has none yet, such as a new visitor's, gets one. */
function csrfTokenOf (session) {
  if (!session.has('csrf')) session.set('csrf', newCsrfToken())
  return session.get('csrf')
}

function newCsrfToken () {
  return randomBytes(18).toString('base64url')
}

/** A hook for the whole site: all that is not mere reading must come from our own forms. Throws 403. */
async function refuseForgedPosts (request) {
  if (READING.has(request.method)) return
  // Not in the parameters: to name the session there would open it for every request, also for those that need none.
  const { headers, body, session } = request
  if (!isFromOurPages(headers)) throw httpError(403, 'the form was sent from another site')
  if (!isSameSecret(body?.csrf, session.get('csrf'))) throw httpError(403, 'the form has not the token of its session')
}

/**
 * What the browser says of the page that sent the form; a page cannot forge it. Older browsers and clients that are none
 * send neither header, and there the token alone decides.
 */
function isFromOurPages (headers) {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const { origin, host } = headers
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)
}

module.exports = { csrfTokenOf, newCsrfToken, refuseForgedPosts }
