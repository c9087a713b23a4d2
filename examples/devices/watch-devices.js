'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')
const { subscribe, unsubscribe } = require('node:diagnostics_channel')
const { SEEN_EVERY_MS } = require('./device-table')

const MOST_AGENT_CHARACTERS = 200
const MOST_REMEMBERED = 10_000

/**
 * Keeps the table of devices by the events of sessions. Made to be copied into your own app: call it before the routes.
 *
 * @param table a `DeviceTable`
 * @param userOf the id of the user of a session; undefined if no user is logged in
 * @param placeOf where a request comes from, as text to show: a city by a GeoIP database, say
 * @param most how many devices a user may have: when another logs in, the valid session that began first ends
 */
function watchDevices (app, { table, userOf, placeOf, most, now = Date.now }) {
  const requests = new AsyncLocalStorage()
  const seen = new Map()
  let writing = Promise.resolve()

  // A listener must not throw, and no reply waits for the table. In order, so that a removal follows its addition.
  const write = (log, work) => {
    writing = writing.then(work).catch(error => { log.error({ err: error }, 'the table of devices was not written') })
  }

  const listeners = {
    'fastify-sealed-session:sealed': ({ session: name, id: key, isNew }) => {
      const request = requests.getStore()
      const user = request === undefined ? undefined : userOf(request[name])
      if (!isNew || user === undefined) return
      const { headers, log } = request
      const { id, createdAt: createdAtMs } = request[name].info
      const agent = String(headers['user-agent'] ?? 'unknown').slice(0, MOST_AGENT_CHARACTERS)
      const times = { createdAtMs, firstSeenMs: now(), lastSeenMs: now() }
      const device = { key, id, agent, place: placeOf(request), ...times }
      seen.set(key, now())
      write(log, async () => {
        await table.add(user, device)
        await table.removeExpired(user, now())
        const devices = await table.list(user, now())
        for (const { id } of devices.sort((a, b) => b.firstSeenMs - a.firstSeenMs).slice(most)) {
          // Publishes `revoked`, which removes the row.
          await app.secureSession.revoke(id)
        }
      })
    },
    'fastify-sealed-session:opened': ({ id: key }) => {
      const request = requests.getStore()
      if (request === undefined || now() - (seen.get(key) ?? -Infinity) < SEEN_EVERY_MS) return
      if (seen.size >= MOST_REMEMBERED) seen.clear()
      seen.set(key, now())
      write(request.log, async () => { await table.seen(key, now()) })
    },
    'fastify-sealed-session:revoked': ({ by, id: key }) => {
      if (by === 'id') write(app.log, async () => { await table.remove(key) })
    }
  }

  app.addHook('onRequest', (request, reply, done) => { requests.run(request, done) })
  for (const [channel, listener] of Object.entries(listeners)) subscribe(channel, listener)
  // For a route that revokes the sessions of a user: the message about that does not name the user. In the order of all
  // writes, so that the addition of a session that was revoked does not follow.
  app.decorate('removeDevices', (user, upToMs) => {
    write(app.log, async () => { await table.removeAll(user, upToMs) })
  })
  // For a page that shows the table: what events have said so far is in it then.
  app.decorate('devicesWritten', async () => {
    let written
    // The end of a session is an event, too.
    while (written !== writing) await (written = writing)
  })
  app.addHook('onClose', async () => {
    for (const [channel, listener] of Object.entries(listeners)) unsubscribe(channel, listener)
    await app.devicesWritten()
  })
}

module.exports = { watchDevices }
