'use strict'

const { problem } = require('../problems')

const PATIENCE_MS = 5000

/** The site's side of the API. */
function apiClient ({ address }) {
  return {
    address,

    /** The orders of the token's user; null where the API does not take the token. Throws a problem. */
    async orders (token) {
      const { status, body } = await ask(new URL('/orders', address), token)
      if (status === 401) return null
      if (status !== 200) throw problem('api-away', `the API answered ${status}`)
      return body.orders
    }
  }
}

async function ask (url, token) {
  try {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(PATIENCE_MS) })
    return { status: response.status, body: await response.json() }
  } catch (error) {
    throw problem('api-away', `the API does not answer: ${error.cause?.code ?? error.name}`)
  }
}

module.exports = { apiClient }
