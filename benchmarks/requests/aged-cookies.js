'use strict'

const { cookieOf } = require('../session/cookies')
const sealed = require('../servers/sealed')

const HOUR_MS = 3_600_000
/** Past `renewAfter`, a quarter of a day. */
const WRITTEN_BEFORE_MS = 7 * HOUR_MS
const STAMPED_BEFORE_MS = HOUR_MS / 2

/**
 * Cookies of this package that lie in a browser for a while, made by a server of this process whose clock is moved:
 * `due` is to be renewed when it is used, `stamped` was renewed since, and has the stamp that says so.
 */
module.exports = async function agedCookies (key, bytes) {
  const app = sealed({ key })
  const real = Date.now
  const at = async (agoMs, url, cookie) => {
    Date.now = () => real() - agoMs
    const reply = await app.inject({ url, headers: cookie === undefined ? {} : { cookie } })
    return cookieOf([reply.headers['set-cookie']].flat())
  }
  try {
    await app.ready()
    const due = await at(WRITTEN_BEFORE_MS, `/login?bytes=${bytes}`)
    const stamp = await at(STAMPED_BEFORE_MS, '/read', due)
    return { due, stamped: `${due}; ${stamp}` }
  } finally {
    Date.now = real
    await app.close()
  }
}
