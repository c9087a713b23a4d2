'use strict'

const HEADERS = {
  // No script at all. `form-action` and `base-uri` do not fall back to `default-src`.
  'content-security-policy': "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Not `no-referrer`: under it, browsers send `Origin: null` with our own forms.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  // The Back button shows nothing private after signing out.
  'cache-control': 'no-store'
}

async function setSecurityHeaders (request, reply) {
  reply.headers(HEADERS)
}

module.exports = { setSecurityHeaders }
