'use strict'

const { randomBytes } = require('node:crypto')
const { dueCookies } = require('../session/aged-cookies')
const { SESSION_BYTES } = require('../session/data')
const { Server } = require('../traffic/server')
const { Visitor } = require('./visitor')

/** What one server process holds after so many requests: `[{ requests, heapUsed, external, rss }]`, in bytes, each after a collection. */
async function measure ({ requests, every, visitors: count }, onProgress) {
  const key = randomBytes(32)
  const server = await Server.start('soak', require.resolve('../servers/sealed-with-logout'), { key })
  const [due] = dueCookies(key, SESSION_BYTES, 1)
  const visitors = await Promise.all(Array.from({ length: count }, () => Visitor.arrive(server.port, due)))
  const points = []
  for (let sent = 0; ;) {
    const { heapUsed, external, rss } = await server.memory()
    points.push({ requests: sent, heapUsed, external, rss })
    if (sent >= requests) break
    sent += await walk(visitors, every)
    if (points.length % 4 === 0) onProgress(`${(sent / 1e6).toFixed(2)} of ${requests / 1e6} million requests`)
  }
  for (const visitor of visitors) visitor.leave()
  await server.stop()
  return points
}

/** Lets all of them send until so many requests are answered in all; resolves with how many were. */
async function walk (visitors, count) {
  let sent = 0
  await Promise.all(visitors.map(async visitor => {
    while (sent < count) {
      const answered = await visitor.step()
      sent += answered
    }
  }))
  return sent
}

module.exports = { measure }
