'use strict'

/** Sizes of the session, in bytes of its JSON. The last is "3 KB": about what fits into one cookie of 4096 bytes in every library. */
const SIZES = [100, 416, 1024, 2740]
/** The size that the goals are for. */
const SESSION_BYTES = 416

/** Both strings that handlers hand out are of one length, so that all replies weigh the same. */
const PAGE = '/account/orders'
const NAME = 'Augusta A. King'
/** What /write sets: as long as what it replaces, so that the cookie stays one size. */
const WRITTEN_PAGE = /^\/account\/\d{6}$/
/** What a handler replies where the session did not open. */
const NOTHING = '---------------'

const USER = { id: 'c56a4180-65aa-42ec-a945-5fd21dec0538', name: NAME, email: 'augusta@example.com', roles: ['customer', 'editor'] }
/** For a session that is too small for all that. */
const SHORT_USER = { id: 17, name: NAME }

let pagesWritten = 0

/** Another one each time: a store may see that nothing changed, and write nothing. */
function nextPage () {
  return `/account/${String(pagesWritten++ % 1e6).padStart(6, '0')}`
}

/** A login session as of an OAuth client: who it is, the token for calls upstream, and a little state. */
function sessionData (bytes = SESSION_BYTES) {
  const data = bytes < 300
    ? { user: SHORT_USER, accessToken: '', page: PAGE }
    : { user: USER, accessToken: '', tokenExpiresAt: 1767225600, locale: 'en-GB', page: PAGE }
  return { ...data, accessToken: tokenOf(bytes - Buffer.byteLength(JSON.stringify(data))) }
}

/** Looks like an opaque access token, and is the same on every run. */
function tokenOf (characters) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return Array.from({ length: characters }, (_, index) => alphabet[(index * index * 7 + index * 11) % alphabet.length]).join('')
}

const BY_SIZE = Object.fromEntries(SIZES.map(bytes => [bytes, sessionData(bytes)]))

/** All values of a session of one of SIZES, with another page each time. */
function nextValues (bytes) {
  return { ...BY_SIZE[bytes], page: nextPage() }
}

module.exports = { NAME, NOTHING, PAGE, SESSION_BYTES, SIZES, WRITTEN_PAGE, nextPage, nextValues, sessionData }
