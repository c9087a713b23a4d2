'use strict'

const { createHash } = require('node:crypto')

const NAME = 'session'
/** Of the 4096 bytes that a browser takes for name and value. */
const JUNK_CHARACTERS = 4000

/** The session cookie of this server as a browser would send it back. */
async function login (port) {
  const [pair] = (await setCookieOf(port, '/login', '')).split(';', 1)
  return pair
}

/** The only Set-Cookie of a reply; null where there is none. */
async function setCookieOf (port, path, cookie) {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { cookie } })
  const lines = reply.headers.getSetCookie()
  if (reply.status !== 200 || lines.length > 1) throw new Error(`${path}: status ${reply.status} with ${lines.length} Set-Cookie`)
  return lines[0] ?? null
}

/** The cookie with one character changed where its tag lies; `tagAt` is that place in the value. */
function forged (pair, tagAt) {
  const at = tagAt < 0 ? pair.length + tagAt : NAME.length + 1 + tagAt
  return pair.slice(0, at) + (pair[at] === 'A' ? 'B' : 'A') + pair.slice(at + 1)
}

/** Letters and digits that look like a cookie, the same on every run and for every server. */
function junk () {
  let text = ''
  for (let block = 0; text.length < JUNK_CHARACTERS; block++) text += createHash('sha512').update(`junk ${block}`).digest('base64url')
  return `${NAME}=${text.slice(0, JUNK_CHARACTERS)}`
}

module.exports = { forged, junk, login, setCookieOf }
