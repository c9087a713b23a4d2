'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { createServer } = require('node:net')
const { tmpdir } = require('node:os')
const { Redis } = require('ioredis')

/** A Redis on the loopback that keeps nothing on disk; null where there is no `redis-server` in the PATH. */
async function startRedis () {
  const port = await freePort()
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()], { stdio: 'ignore' })
  const isThere = await once(child, 'spawn').then(() => true, () => false)
  if (!isThere) return null
  const kill = () => child.kill()
  process.once('exit', kill)
  const url = `redis://127.0.0.1:${port}`
  const version = await versionOf(url)
  return {
    url,
    version,
    async stop () {
      process.removeListener('exit', kill)
      child.kill()
      await once(child, 'exit')
    }
  }
}

/** The client tries again until the server listens. */
async function versionOf (url) {
  const client = new Redis(url, { maxRetriesPerRequest: null })
  client.on('error', () => {})
  const info = await client.info('server')
  client.disconnect()
  return /redis_version:(\S+)/.exec(info)[1]
}

async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

module.exports = { startRedis }
