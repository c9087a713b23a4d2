'use strict'

const { once } = require('node:events')
const { connect } = require('node:net')

const HEAD_END = Buffer.from('\r\n\r\n')
const OK = Buffer.from('HTTP/1.1 200 ')

/**
 * Sends requests to one server over connections that stay open, one request at a time on each. Bare sockets: a full HTTP
 * client costs more than the server does, and the server would wait for it.
 */
class Load {
  #sockets
  #bodyBytes

  constructor (sockets, bodyBytes) {
    this.#sockets = sockets
    this.#bodyBytes = bodyBytes
  }

  /** @param bodyBytes the length that the body of every reply has */
  static async open (port, connections, bodyBytes) {
    const sockets = Array.from({ length: connections }, () => connect({ host: '127.0.0.1', port, noDelay: true }))
    await Promise.all(sockets.map(socket => once(socket, 'connect')))
    for (const socket of sockets) socket.once('end', () => failOnEnd(port))
    return new Load(sockets, bodyBytes)
  }

  /** Sends this many of one request; resolves when all are answered with 200, rejects on any other answer. */
  send (request, count) {
    const bytes = requestBytes(request)
    return new Promise((resolve, reject) => {
      let sent = 0
      let answered = 0
      const next = socket => {
        if (sent === count) return
        sent++
        socket.write(bytes)
      }
      for (const socket of this.#sockets) {
        socket.removeAllListeners('data')
        socket.on('data', this.#repliesOf(socket, reject, () => {
          if (++answered === count) resolve()
          else next(socket)
        }))
        next(socket)
      }
    })
  }

  close () {
    for (const socket of this.#sockets) socket.destroy()
  }

  #repliesOf (socket, reject, onReply) {
    let pending = null
    return chunk => {
      const reply = pending === null ? chunk : Buffer.concat([pending, chunk])
      const headEnd = reply.indexOf(HEAD_END)
      const isWhole = headEnd !== -1 && reply.length >= headEnd + HEAD_END.length + this.#bodyBytes
      pending = isWhole ? null : reply
      if (!isWhole) return
      if (reply.length > headEnd + HEAD_END.length + this.#bodyBytes || reply.compare(OK, 0, OK.length, 0, OK.length) !== 0) {
        reject(new Error(`unexpected reply: ${reply.toString('latin1', 0, 200)}`))
      } else {
        onReply()
      }
    }
  }
}

/** The reply that was awaited will not come, and `send` would wait for ever. An error of the socket throws by itself. */
function failOnEnd (port) {
  throw new Error(`the server on port ${port} closed a connection`)
}

function requestBytes ({ path, cookie }) {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${cookie === null ? '' : `Cookie: ${cookie}\r\n`}\r\n`)
}

module.exports = { HEAD_END, Load, requestBytes }
