'use strict'

/**
 * One server in a process of its own, so that its CPU time and its memory are its own: the parent asks for them by
 * message. Arguments: the module that builds the server, and its options, as JSON with the key in hex.
 */
async function main ([modulePath, json]) {
  const { key, ...options } = JSON.parse(json)
  const app = await require(modulePath)({ key: Buffer.from(key, 'hex'), ...options })
  const answers = { cpu: () => process.cpuUsage(), memory, ...app.answers }
  process.on('message', ask => process.send(answers[ask]()))
  // A parent that was killed must not leave servers behind.
  process.on('disconnect', () => process.exit())
  // A server waits for its turn for longer than a connection may lie idle.
  app.server.keepAliveTimeout = 0
  await app.listen({ host: '127.0.0.1', port: 0 })
  process.send({ port: app.server.address().port })
}

/** After everything that can be collected was: the second time takes what the finalizers of the first let go. */
function memory () {
  global.gc()
  global.gc()
  return process.memoryUsage()
}

main(process.argv.slice(2))
