'use strict'

const Fastify = require('fastify')
const { ORDERS } = require('../../demo/upstream/orders')

const PATIENCE_MS = 5000
const SCOPE = 'orders'

/**
 * A third-party API: a resource server that asks the provider about each token (RFC 7662).
 *
 *     GET /orders   Authorization: Bearer, an access token of this audience with the scope "orders"   200 { orders }
 *
 * @param provider `{ metadata, clientId, clientSecret }`: as whom it asks
 * @param audience its own address: a token that was given for another API is none here
 */
function buildApi ({ audience, provider: { metadata, clientId, clientSecret } }) {
  const app = Fastify({ logger: { level: 'warn' } })
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`

  app.decorateRequest('subject', '')

  async function requireToken (request, reply) {
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined) return refuse(reply, 401, 'Bearer realm="orders"')
    const { active, iss, aud, sub, scope } = await introspect(token)
    if (!active || iss !== metadata.issuer || ![aud].flat().includes(audience)) return refuse(reply, 401, 'Bearer realm="orders", error="invalid_token"')
    if (!scope.split(' ').includes(SCOPE)) return refuse(reply, 403, `Bearer realm="orders", error="insufficient_scope", scope="${SCOPE}"`)
    request.subject = sub
  }

  async function introspect (token) {
    const response = await fetch(metadata.introspection_endpoint, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams({ token }),
      signal: AbortSignal.timeout(PATIENCE_MS)
    })
    if (!response.ok) throw new Error(`introspection answered ${response.status}`)
    return response.json()
  }

  app.get('/orders', { onRequest: requireToken }, async ({ subject }) => ({ orders: ORDERS[subject] ?? [] }))
  return app
}

function refuse (reply, status, challenge) {
  return reply.code(status).header('www-authenticate', challenge).send({ error: 'unauthorized' })
}

module.exports = { buildApi }
