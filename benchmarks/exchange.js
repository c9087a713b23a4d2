'use strict'

/** One request by a full HTTP client, for all that is not timed: the body's value, and the Set-Cookie line or null. */
module.exports = async function exchange (port, path, cookie) {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, { headers: cookie === null ? {} : { cookie } })
  const lines = reply.headers.getSetCookie()
  const text = await reply.text()
  if (reply.status !== 200 || lines.length > 1) throw new Error(`${path}: status ${reply.status}, ${lines.length} Set-Cookie lines, ${text}`)
  return { text, value: JSON.parse(text).value, setCookie: lines[0] ?? null }
}
