'use strict'

const HOST = '127.0.0.1'
const PATIENCE_MS = 1000

/** The port that a variable of the environment names; 0 asks the system for any free one. Throws where it names none. */
function portFrom (name, usual) {
  const text = process.env[name]
  if (text === undefined || text === '') return usual
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new Error(`${name} must be a number from 0 to 65535`)
  return Number(text)
}

async function listen (app, port) {
  try {
    return await app.listen({ host: HOST, port })
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error
    console.log(`Port ${port} is taken, so a free one is used.`)
    return app.listen({ host: HOST, port: 0 })
  }
}

/** Requests under way are answered, those of the first first: they may still need the others. A second signal ends it at once. */
function closeOnSignal (servers) {
  const close = async () => {
    for (const app of servers) {
      // Browsers open connections ahead of need. Node does not take one that was never used for idle, and would wait.
      const patience = setTimeout(() => app.server.closeAllConnections(), PATIENCE_MS)
      await app.close()
      clearTimeout(patience)
    }
  }
  process.once('SIGINT', close)
  process.once('SIGTERM', close)
}

module.exports = { HOST, closeOnSignal, listen, portFrom }
