'use strict'

/** One request by a full HTTP client, for all that is not timed: the status, the body's text, and the Set-Cookie lines. */
module.exports = async function exchange (port, path, cookie) {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, { headers: cookie === null ? {} : { cookie } })
  return { status: reply.status, text: await reply.text(), setCookies: reply.headers.getSetCookie() }
}
