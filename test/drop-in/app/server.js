'use strict'

const Fastify = require('fastify')
const { Store } = require('./store')

/**
 * A bookshop's site. `secureSession` is the package that the sessions come from; nothing else depends on which one it is.
 * @param keys the first seals, all open
 */
function buildServer ({ secureSession, keys, secret, salt, legacy, logger = false, store = new Store() }) {
  const app = Fastify({ logger, forceCloseConnections: true })

  app.register(require('./plugins/sessions'), { secureSession, keys, secret, salt, legacy, maxAge: 60 * 60 * 24 * 90 })
  app.register(require('./plugins/security'))
  app.register(require('./plugins/flash'))
  app.register(require('./plugins/auth'), { store })
  app.register(require('./plugins/errors'))

  app.register(require('./routes/health'))
  app.register(require('./routes/account'), { store })
  app.register(require('./routes/shop'), { store })
  app.register(require('./routes/preferences'), { prefix: '/prefs' })
  app.register(require('./routes/application'), { prefix: '/apply', store })
  app.register(require('./routes/admin'), { prefix: '/admin', store })
  app.register(require('./routes/live'), { prefix: '/live' })
  return app
}

module.exports = { buildServer }
