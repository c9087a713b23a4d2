'use strict'

/**
 * One server of a fleet, told what to be by its first argument. JavaScript, not TypeScript: it is started again and
 * again, and the loader would take two seconds of a core at each start.
 */

const fastify = require('fastify')
const Redis = require('ioredis')
const { setTimeout: pause } = require('node:timers/promises')

const WARN = 40

const settings = JSON.parse(process.argv[2])
const plugin = require(settings.package)

/** What the parent makes the store suffer, and until when. */
let trouble = { kind: 'none', untilMs: 0 }
let redis = null

async function main () {
  const app = fastify({
    logger: { level: 'info', stream: { write: tellLine } },
    logController: new fastify.LogController({ disableRequestLogging: true }),
    // Whoever gets an answer while the server closes gets the right one.
    return503OnClosing: false
  })
  await app.register(plugin, { keyring: watched(builtInStore()), ...settings.session })
  addRoutes(app)
  process.once('SIGTERM', () => { close(app) })
  process.on('message', message => { trouble = message })
  // A parent that was killed must not leave servers behind.
  process.once('disconnect', () => { process.exit() })
  await app.listen({ host: '127.0.0.1', port: settings.port })
  tell({ kind: 'listening' })
}

async function close (app) {
  await app.close()
  redis?.disconnect()
  process.disconnect()
}

function builtInStore () {
  if (settings.file !== null) return plugin.fileKeyring(settings.file)
  redis = new Redis(settings.redis)
  redis.on('error', () => {})
  return plugin.redisKeyring(redis)
}

/** The store as it is in life: a share of the reads takes a while, and for some time they hang or fail. Tells of each read. */
function watched (store) {
  return {
    name: store.name,
    async read () {
      const startedAtMs = Date.now()
      let ok = false
      try {
        const text = await troubled(() => store.read())
        ok = true
        return text
      } finally {
        tell({ kind: 'read', startedAtMs, ms: Date.now() - startedAtMs, ok })
      }
    },
    update: (expected, next) => store.update(expected, next)
  }
}

async function troubled (read) {
  if (Math.random() < settings.slowShare) await pause(Math.random() * settings.slowMs)
  const leftMs = trouble.untilMs - Date.now()
  if (leftMs <= 0) return await read()
  if (trouble.kind === 'fail') throw new Error('the store is away')
  // It answers late, with what was true when it was asked.
  const text = await read()
  await pause(leftMs)
  return text
}

function addRoutes (app) {
  app.post('/login', async ({ session, body: { user, token } }) => {
    session.set('user', user)
    session.set('token', token)
    session.set('counter', 0)
    return stateOf(session)
  })
  app.get('/read', async ({ session }) => stateOf(session))
  app.post('/write', async ({ session, body: { counter } }) => {
    const before = stateOf(session)
    if (before.user !== null) session.set('counter', counter)
    return before
  })
  app.post('/logout', async ({ session }) => {
    const before = stateOf(session)
    session.delete()
    return before
  })
}

function stateOf (session) {
  return { user: session.get('user') ?? null, token: session.get('token') ?? null, counter: session.get('counter') ?? null }
}

/** The parent follows which keys this server knows, and what it warns of. */
function tellLine (line) {
  const { level, msg, keys, keyring, err } = JSON.parse(line)
  if (level >= WARN) tell({ kind: 'warning', text: `${msg} ${err?.stack ?? ''}`, aboutKeyring: keyring !== undefined })
  else if (keys !== undefined) tell({ kind: 'loaded', keys: Object.keys(keys) })
}

function tell (message) {
  if (process.connected) process.send(message)
}

main()
