'use strict'

const PATIENCE_MS = 5000
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])
const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'revocation_endpoint', 'introspection_endpoint', 'end_session_endpoint']

/**
 * What the provider says of itself (OpenID Connect Discovery 1.0). `@fastify/oauth2` could ask by itself, but it neither gives
 * the sign-out URL nor checks the issuer. Throws if the provider is unavailable, has another issuer, or lacks what is needed.
 */
async function discover (issuer) {
  requireTls(issuer)
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  const metadata = await response.json()
  if (metadata.issuer !== issuer) throw new Error(`${url} speaks for the issuer ${metadata.issuer}; wanted ${issuer}`)
  for (const name of ENDPOINTS) {
    if (!URL.canParse(metadata[name])) throw new Error(`${url} has no ${name}`)
    requireTls(metadata[name])
  }
  return metadata
}

/** Tokens go in the clear within one machine only. Throws. */
function requireTls (url) {
  const { protocol, hostname } = new URL(url)
  if (protocol !== 'https:' && !(protocol === 'http:' && LOOPBACK.has(hostname))) throw new Error(`${url} must begin with https://`)
}

module.exports = { discover, requireTls }
