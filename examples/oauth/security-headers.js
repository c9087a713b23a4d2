'use strict'

/**
 * Headers for all pages, as Fastify's `reply.headers` takes them.
 * @param formTarget another origin to which a form of this site may lead. Chrome holds `form-action` against redirects,
 *   too: signing out is a form that leads on to the provider, and signing in there is a form that leads back.
 */
function securityHeaders (formTarget) {
  return {
    // No script at all. `form-action` and `base-uri` do not fall back to `default-src`.
    'content-security-policy': `default-src 'none'; style-src 'self'; form-action 'self' ${formTarget}; base-uri 'none'; frame-ancestors 'none'`,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    // Not `no-referrer`: under it, browsers send `Origin: null` with our own forms. The code in the callback's URL stays here.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    // The Back button shows nothing private after signing out.
    'cache-control': 'no-store'
  }
}

module.exports = { securityHeaders }
