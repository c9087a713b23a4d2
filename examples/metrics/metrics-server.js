'use strict'

const Fastify = require('fastify')

/**
 * `GET /metrics` for Prometheus, on a port of its own. The numbers of logins and of refused cookies are not for the public, and
 * a route of the site itself would be public unless the proxy blocks it.
 */
function buildMetricsServer (registry, { logger = { level: 'warn' } } = {}) {
  const app = Fastify({ logger })
  app.get('/metrics', async (request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
  return app
}

module.exports = { buildMetricsServer }
