'use strict'

/**
 * In a fresh process: the time from before the require of a plugin until an app with it is ready, and the modules that
 * were loaded for it. Fastify is there before. Argument: the name of what is measured.
 */

const fastify = require('fastify')

const KEY = Buffer.alloc(32, 7)
const REGISTER = {
  nothing () {},
  cookie (app) {
    app.register(require('@fastify/cookie'))
  },
  sealed (app) {
    app.register(require('@fastify/cookie'))
    app.register(require('fastify-sealed-session'), { key: KEY })
  },
  peer (app) {
    app.register(require('@fastify/cookie'))
    app.register(require('@fastify/secure-session'), { key: KEY })
  },
  session (app) {
    app.register(require('@fastify/cookie'))
    app.register(require('@fastify/session'), { secret: KEY.toString('hex') })
  }
}

async function main ([name]) {
  const app = fastify()
  const modules = Object.keys(require.cache).length
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  REGISTER[name](app)
  const requireMs = performance.now() - startMs
  await app.ready()
  const ms = performance.now() - startMs
  const { user, system } = process.cpuUsage(cpu)
  process.send({ requireMs, ms, cpuMs: (user + system) / 1000, modules: Object.keys(require.cache).length - modules })
  await app.close()
}

main(process.argv.slice(2)).then(() => process.disconnect())
