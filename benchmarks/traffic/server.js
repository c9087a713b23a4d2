'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const { join } = require('node:path')

/**
 * The first is for memory after a garbage collection. The others keep V8 from what it does in an idle process, and not
 * under load: it drops machine code and shrinks the heap. Each server is idle while the others are measured.
 */
const FLAGS = ['--expose-gc', '--no-flush-bytecode', '--no-memory-reducer']

/** A server process, seen from the parent. */
class Server {
  #child

  constructor (name, child, port) {
    this.name = name
    this.port = port
    this.#child = child
  }

  /** @param options what the server's module is given; `key` is a Buffer, the rest JSON */
  static async start (name, modulePath, { key, ...options }) {
    const json = JSON.stringify({ key: key.toString('hex'), ...options })
    const child = fork(join(__dirname, 'server-process.js'), [modulePath, json], {
      env: { ...process.env, NODE_ENV: 'production' },
      execArgv: FLAGS
    })
    child.once('exit', (code, signal) => {
      if (code !== 0) throw new Error(`server "${name}" ended with ${signal ?? `exit code ${code}`}`)
    })
    const [{ port }] = await once(child, 'message')
    return new Server(name, child, port)
  }

  /** Microseconds of CPU time, user and system, of all threads of the process since it started. */
  async cpuTime () {
    const { user, system } = await this.ask('cpu')
    return user + system
  }

  /** `process.memoryUsage()` after a collection. */
  memory () {
    return this.ask('memory')
  }

  async ask (what) {
    this.#child.send(what)
    const [answer] = await once(this.#child, 'message')
    return answer
  }

  async stop () {
    this.#child.disconnect()
    await once(this.#child, 'exit')
  }
}

module.exports = { Server }
