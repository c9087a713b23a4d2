'use strict'

const { randomBytes } = require('node:crypto')
const Fastify = require('fastify')
const { isSameSecret } = require('../same-secret')
const { ORDERS } = require('./orders')

const TOKEN_LIFE_MS = 8 * 60 * 60 * 1000
const MOST_TOKENS = 1000

/**
 * A third-party API for the demo. It gives access tokens to a client that knows the secret,
 * and forgets them all when it restarts.
 *
 *     POST   /token    { user }   Authorization: Basic, the client's secret    201 { token }
 *     GET    /orders              Authorization: Bearer, the token             200 { orders }
 *     DELETE /token               Authorization: Bearer, the token             204
 */
function buildUpstream ({ clientSecret }) {
  const app = Fastify({ logger: { level: 'warn' } })
  const grants = new Map()
  const basic = `Basic ${Buffer.from(`demo:${clientSecret}`).toString('base64')}`

  app.decorateRequest('token', '')

  async function requireClient ({ headers }, reply) {
    if (!isSameSecret(headers.authorization, basic)) return refuse(reply, 'Basic realm="upstream"')
  }

  async function requireToken (request, reply) {
    request.token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const grant = grants.get(request.token)
    if (grant === undefined || grant.endsAtMs <= Date.now()) return refuse(reply, 'Bearer realm="upstream"')
  }

  app.post('/token', { onRequest: requireClient, schema: { body: TOKEN_BODY } }, async ({ body }, reply) => {
    const token = randomBytes(32).toString('base64url')
    if (grants.size >= MOST_TOKENS) grants.delete(grants.keys().next().value)
    grants.set(token, { user: body.user, endsAtMs: Date.now() + TOKEN_LIFE_MS })
    return reply.code(201).send({ token })
  })

  app.get('/orders', { onRequest: requireToken }, async ({ token }) => {
    return { orders: ORDERS[grants.get(token).user] }
  })

  app.delete('/token', { onRequest: requireToken }, async ({ token }, reply) => {
    grants.delete(token)
    return reply.code(204).send()
  })

  return app
}

const TOKEN_BODY = {
  type: 'object',
  required: ['user'],
  properties: { user: { enum: Object.keys(ORDERS) } }
}

function refuse (reply, challenge) {
  return reply.code(401).header('www-authenticate', challenge).send({ error: 'unauthorized' })
}

module.exports = { buildUpstream }
