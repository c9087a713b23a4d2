'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const { join } = require('node:path')

/** A server process, seen from the parent. */
class Server {
  #child

  constructor (name, child, port) {
    this.name = name
    this.port = port
    this.#child = child
  }

  static async start (name, modulePath, key) {
    const child = fork(join(__dirname, 'server-process.js'), [modulePath, key.toString('hex')], {
      env: { ...process.env, NODE_ENV: 'production' }
    })
    child.once('exit', (code, signal) => {
      if (code !== 0) throw new Error(`server "${name}" ended with ${signal ?? `exit code ${code}`}`)
    })
    const [{ port }] = await once(child, 'message')
    return new Server(name, child, port)
  }

  /** Microseconds of CPU time, user and system, of all threads of the process since it started. */
  async cpuTime () {
    this.#child.send('cpu')
    const [{ user, system }] = await once(this.#child, 'message')
    return user + system
  }

  async stop () {
    this.#child.disconnect()
    await once(this.#child, 'exit')
  }
}

module.exports = { Server }
