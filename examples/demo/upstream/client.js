'use strict'

const { httpError } = require('../http-error')

const PATIENCE_MS = 5000

/** The demo's side of the upstream API. Where upstream does not answer, or not as agreed, each call throws 502. */
function upstreamClient ({ address, clientSecret }) {
  const basic = `Basic ${Buffer.from(`demo:${clientSecret}`).toString('base64')}`

  async function call (path, authorization, options) {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    try {
      const response = await fetch(new URL(path, address), { ...options, headers: { ...options?.headers, authorization }, signal })
      return { status: response.status, body: response.ok && response.status !== 204 ? await response.json() : null }
    } catch (cause) {
      throw httpError(502, 'upstream does not answer', { cause })
    }
  }

  return {
    /** An access token for a user's orders. */
    async tokenFor (userId) {
      const { status, body } = await call('/token', basic, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ user: userId })
      })
      if (status !== 201) throw unexpected(status)
      return body.token
    },

    /** The user's orders; null where upstream no longer takes the token. */
    async orders (token) {
      const { status, body } = await call('/orders', `Bearer ${token}`)
      if (status === 401) return null
      if (status !== 200) throw unexpected(status)
      return body.orders
    },

    /** Revokes a token and all copies of it; 401: it was already revoked. */
    async revoke (token) {
      const { status } = await call('/token', `Bearer ${token}`, { method: 'DELETE' })
      if (status !== 204 && status !== 401) throw unexpected(status)
    }
  }
}

function unexpected (status) {
  return httpError(502, `upstream answered ${status}`)
}

module.exports = { upstreamClient }
