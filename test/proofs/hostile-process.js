'use strict'

/**
 * A server under hostile requests, told what to be by its first argument. JavaScript: it is started every second or so.
 * It must not catch what is uncaught: that Node.js ends it is what the parent looks for.
 */

const { buildApp } = require('./hostile-app.js')

const settings = JSON.parse(process.argv[2])

async function main () {
  const app = await buildApp(settings, defect => { tell({ kind: 'defect', text: defect }) })
  const answers = {
    usage: () => { tell({ kind: 'usage', ...process.memoryUsage(), resources: process.getActiveResourcesInfo() }) },
    close: () => { close(app) }
  }
  process.on('message', ask => { answers[ask]() })
  process.once('disconnect', () => { process.exit() })
  await app.listen({ host: '127.0.0.1', port: 0 })
  tell({ kind: 'listening', port: app.server.address().port })
}

/** As an app closes at SIGTERM: what is left open then keeps the process alive. */
async function close (app) {
  await app.close()
  process.removeAllListeners('disconnect')
  process.disconnect()
}

function tell (message) {
  if (process.connected) process.send(message)
}

main()
