'use strict'

const sealed = require('../servers/sealed')
const { createSealer } = require('fastify-sealed-session/sealer')
const { NAME, cookieOf } = require('./cookies')
const { sessionData } = require('./data')

const HOUR_MS = 3_600_000
/** Longer than `renewAfter`, which is a quarter of a day. */
const DUE_AFTER_MS = 7 * HOUR_MS
const STAMPED_BEFORE_MS = HOUR_MS / 2

/** So many different cookies of this package, sealed so long ago. */
function sealedCookies (key, bytes, count, agoMs = 0) {
  const sealer = createSealer({ key, now: () => Date.now() - agoMs })
  const session = sessionData(bytes)
  return Array.from({ length: count }, () => `${NAME}=${sealer.seal(session)}`)
}

/** Cookies of this package whose renewal is due. */
function dueCookies (key, bytes, count) {
  return sealedCookies(key, bytes, count, DUE_AFTER_MS)
}

/** As `dueCookies`, each with the stamp of a renewal half an hour ago. */
async function stampedCookies (key, bytes, count) {
  const app = sealed({ key })
  await app.ready()
  const real = Date.now
  const cookies = []
  for (const cookie of dueCookies(key, bytes, count)) {
    Date.now = () => real() - STAMPED_BEFORE_MS
    const { headers } = await app.inject({ url: '/read', headers: { cookie } }).finally(() => { Date.now = real })
    cookies.push(`${cookie}; ${cookieOf([headers['set-cookie']].flat())}`)
  }
  await app.close()
  return cookies
}

module.exports = { dueCookies, sealedCookies, stampedCookies }
