'use strict'

/**
 * One server in a process of its own, so that its CPU time is its own: the parent asks for it by message.
 * Arguments: the module that builds the server, the key as hex.
 */
async function main ([modulePath, keyHex]) {
  const app = require(modulePath)({ key: Buffer.from(keyHex, 'hex') })
  process.on('message', () => process.send(process.cpuUsage()))
  // A parent that was killed must not leave servers behind.
  process.on('disconnect', () => process.exit())
  await app.listen({ host: '127.0.0.1', port: 0 })
  process.send({ port: app.server.address().port })
}

main(process.argv.slice(2))
