'use strict'

const use = require('./use.cjs')
const secureSession = require('fastify-sealed-session')

for (const same of [secureSession.default, secureSession.secureSession, secureSession.fastifySecureSession, require('fastify-sealed-session').secureSession]) {
  if (same !== secureSession) throw new Error('the names are not one plugin')
}
use((app, options) => app.register(secureSession, options))
