'use strict'

const { once } = require('node:events')
const { connect } = require('node:net')
const { Replies } = require('./replies')

/**
 * Sends requests to one server over connections that stay open, one request at a time on each. It uses bare sockets: a
 * full HTTP client costs more than the server does, and the server would wait for it.
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
    return new Load(await Promise.all(Array.from({ length: connections }, () => connectionTo(port))), bodyBytes)
  }

  /**
   * Sends this many requests; resolves when all are answered with 200, rejects on any other answer.
   * @param nextCookie the value of the Cookie header of the next request; null for none
   */
  send (path, nextCookie, count) {
    return new Promise((resolve, reject) => {
      let sent = 0
      let answered = 0
      const next = socket => {
        if (sent === count) return
        sent++
        socket.write(requestBytes({ path, cookie: nextCookie() }))
      }
      for (const socket of this.#sockets) {
        socket.removeAllListeners('data')
        socket.on('data', this.#repliesOf(reject, () => {
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

  #repliesOf (reject, onReply) {
    const replies = new Replies(this.#bodyBytes)
    return chunk => {
      try {
        const { length } = replies.take(chunk)
        if (length > 1 || (length === 1 && !replies.isEmpty)) throw new Error('more came than was asked for')
        if (length === 1) onReply()
      } catch (error) {
        reject(error)
      }
    }
  }
}

async function connectionTo (port) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  // The awaited reply will never come, so this must throw. An error of the socket throws by itself.
  socket.once('end', () => { throw new Error(`the server on port ${port} closed a connection`) })
  return socket
}

function requestBytes ({ path, cookie }) {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${cookie === null ? '' : `Cookie: ${cookie}\r\n`}\r\n`)
}

module.exports = { Load, connectionTo, requestBytes }
