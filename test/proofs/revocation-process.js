'use strict'

/** One server of a fleet whose sessions are ended, told what to be by its first argument. JavaScript: it is started again and again. */

const fastify = require('fastify')
const Redis = require('ioredis')

const WARN = 40
const AWAY = 'FST_SESSION_STORE_UNAVAILABLE'

const settings = JSON.parse(process.argv[2])
const plugin = require(settings.package)

async function main () {
  const app = fastify({
    logger: { level: 'warn', stream: { write: tellLine } },
    logController: new fastify.LogController({ disableRequestLogging: true })
  })
  const client = new Redis(settings.redis, settings.client)
  client.on('error', () => {})
  const store = plugin.redisRevocation(client)
  const kinds = Object.entries(settings.recheck)
  await app.register(plugin, kinds.map(([sessionName, recheck]) => ({
    sessionName,
    key: Buffer.alloc(32, 7),
    subject: session => session.get('user'),
    revocation: { store, recheck, timeout: settings.timeout, onError: 'refuse' }
  })))
  for (const [kind] of kinds) addRoutes(app, kind)
  process.once('disconnect', () => { process.exit() })
  await app.listen({ host: '127.0.0.1', port: settings.port })
  tell({ kind: 'listening' })
}

/** A token marks the data of one session; only who reads it can tell it. */
function addRoutes (app, kind) {
  app.get(`/${kind}/read`, async request => tokenOf(request[kind]))
  app.post(`/${kind}/login`, async request => {
    request[kind].regenerate()
    request[kind].set('user', request.body.user)
    request[kind].set('token', request.body.token)
    return {}
  })
  app.post(`/${kind}/logout`, async request => { request[kind].delete(); return {} })
  app.post(`/${kind}/revoke`, async request => { await request[kind].revoke(); return {} })
  app.post(`/${kind}/others`, async request => {
    await request[kind].revokeOthers()
    request[kind].set('token', request.body.token)
    return {}
  })
  app.post(`/${kind}/everywhere`, async request => {
    await app.secureSession.revokeSubject(request.body.user, kind)
    return {}
  })
}

function tokenOf (session) {
  return { token: session.get('token') ?? null }
}

/** That the store is away is expected, and told once an outage by a line with the session's name. */
function tellLine (line) {
  const { level, msg, session, err } = JSON.parse(line)
  if (err?.code === AWAY) return
  tell({ kind: 'warning', text: `${msg} ${err?.stack ?? ''}`, aboutStore: level === WARN && session !== undefined })
}

function tell (message) {
  if (process.connected) process.send(message)
}

main()
