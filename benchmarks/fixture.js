'use strict'

/** The session that every variant seals: the size that DESIGN and README quote their figures for. */
const SESSION_BYTES = 416

/** Both strings that handlers hand out are of one length, so that all replies weigh the same. */
const PAGE = '/account/orders'
const NAME = 'Augusta A. King'
/** What /write sets; as long as what it replaces, so that the cookie stays one size. */
const OTHER_PAGE = '/account/basket'
/** What a handler replies where the session did not open. */
const NOTHING = '---------------'

/** A login session as of an OAuth client: who it is, the token for calls upstream, and a little state. */
function sessionData () {
  const data = {
    user: { id: 'c56a4180-65aa-42ec-a945-5fd21dec0538', name: NAME, email: 'augusta@example.com', roles: ['customer', 'editor'] },
    accessToken: '',
    tokenExpiresAt: 1767225600,
    locale: 'en-GB',
    page: PAGE
  }
  data.accessToken = tokenOf(SESSION_BYTES - Buffer.byteLength(JSON.stringify(data)))
  return data
}

/** Looks like an opaque access token, and is the same on every run. */
function tokenOf (characters) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return Array.from({ length: characters }, (_, index) => alphabet[(index * index * 7 + index * 11) % alphabet.length]).join('')
}

module.exports = { NAME, NOTHING, OTHER_PAGE, PAGE, SESSION_BYTES, sessionData }
