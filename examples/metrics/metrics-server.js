'use strict'

const Fastify = require('fastify')

/**
 * `GET /metrics` for Prometheus, on a port of its own. How many log in, and how many cookies are refused, is nobody's business
 * outside; a route of the site itself would be open to the world until somebody remembers to close it at the proxy.
 */
function buildMetricsServer (registry, { logger = { level: 'warn' } } = {}) {
  const app = Fastify({ logger })
  app.get('/metrics', async (request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
  return app
}

module.exports = { buildMetricsServer }
