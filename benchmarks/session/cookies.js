'use strict'

const { createHash } = require('node:crypto')

const NAME = 'session'
/** What a browser takes for name and value of one cookie: RFC 6265bis, 5.7. */
const COOKIE_LIMIT = 4096
/** Node.js refuses a request whose head is longer than 16 KB; this leaves room for the rest of it. */
const JUNK_CHARACTERS = 15 * 1024

/** The cookie with one character in the midst of its value changed. */
function forge (cookie) {
  const value = decodeURIComponent(valueOf(cookie))
  let at = value.length >> 1
  while (!/\w/.test(value[at])) at++
  return `${NAME}=${encodeURIComponent(value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1))}`
}

/** What a stranger may send: base64url without meaning, the same on every run and for every server. */
function junk () {
  let text = ''
  for (let block = 0; text.length < JUNK_CHARACTERS; block++) text += createHash('sha512').update(`junk ${block}`).digest('base64url')
  return `${NAME}=${text.slice(0, JUNK_CHARACTERS)}`
}

/** What the browser keeps of a Set-Cookie line, and sends back. */
function pairOf (setCookie) {
  return setCookie.split(';', 1)[0]
}

function valueOf (setCookie) {
  return pairOf(setCookie).slice(setCookie.indexOf('=') + 1)
}

/** The Cookie header of a browser that had none and got these lines. */
function cookieOf (setCookies) {
  return setCookies.filter(line => valueOf(line) !== '').map(pairOf).join('; ')
}

function fits (cookie) {
  return cookie.split('; ').every(pair => pair.length - 1 <= COOKIE_LIMIT)
}

/** Returns one of these after another, over and over. */
function cycle (items) {
  let next = 0
  return () => items[next++ % items.length]
}

module.exports = { NAME, cookieOf, cycle, fits, forge, junk }
