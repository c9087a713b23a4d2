'use strict'

const { createHash } = require('node:crypto')

const NAME = 'session'
/** Of the 4096 bytes that a browser takes for name and value: what is longer could be refused unread. */
const JUNK_CHARACTERS = 4000
/** In both layouts this far into the tag, and clear of the stray bits of its last character. */
const INTO_THE_TAG = 9

/** The cookie with one character of its tag changed. */
function forge (cookie, tagAt) {
  const value = decodeURIComponent(cookie.slice(NAME.length + 1))
  const at = tagAt === 'start' ? INTO_THE_TAG : value.length - INTO_THE_TAG
  const changed = value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)
  return `${NAME}=${encodeURIComponent(changed)}`
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
  return pairOf(setCookie).slice(NAME.length + 1)
}

module.exports = { forge, junk, pairOf, valueOf }
