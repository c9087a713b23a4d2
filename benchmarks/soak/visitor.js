'use strict'

const { forge, junk } = require('../session/cookies')
const { SESSION_BYTES } = require('../session/data')
const { BODY_BYTES } = require('../requests/routes')
const { connectionTo, requestBytes } = require('../traffic/load')
const { Replies } = require('../traffic/replies')

const LOGIN = requestBytes({ path: `/login?bytes=${SESSION_BYTES}`, cookie: null })
const JUNK = requestBytes({ path: '/read', cookie: junk() })
const NO_COOKIE = requestBytes({ path: '/read', cookie: null })
const BATCHES_OF_A_LIFE = 3
/** The reply to a visitor's last write in a batch. */
const LAST_WRITE_AT = 13
const COOKIE = /\r\nset-cookie: (session=[^;]+)/i

/** How many of 50 requests are what: one life of a visitor. */
const MIX = { login: 1, read: 24, write: 6, renew: 6, forged: 6, junk: 3, 'no cookie': 3, logout: 1 }

/** A client that logs in, reads and writes a session, and logs out, repeatedly. It also sends invalid cookies. */
class Visitor {
  #socket
  #renew
  #cookie = null
  #batch = 0

  constructor (socket, due) {
    this.#socket = socket
    this.#renew = requestBytes({ path: '/read', cookie: due })
  }

  /** @param due a session that is due for renewal, which this visitor sends besides */
  static async arrive (port, due) {
    return new Visitor(await connectionTo(port), due)
  }

  leave () {
    this.#socket.destroy()
  }

  /** The next requests, all sent before the first is answered; resolves with how many they were. */
  async step () {
    const batch = this.#batch++ % (BATCHES_OF_A_LIFE + 2)
    if (batch === 0) return await this.#send([LOGIN], 0)
    if (batch === BATCHES_OF_A_LIFE + 1) return await this.#send([requestBytes({ path: '/logout', cookie: this.#cookie })], null)
    const read = requestBytes({ path: '/read', cookie: this.#cookie })
    const write = requestBytes({ path: '/write', cookie: this.#cookie })
    const forged = requestBytes({ path: '/read', cookie: forge(this.#cookie) })
    return await this.#send([read, this.#renew, read, forged, read, write, read, JUNK, read, this.#renew, read, forged, read, write, read, NO_COOKIE], LAST_WRITE_AT)
  }

  /** @param writes the place of the request whose reply sets the cookie that goes on; null for none */
  #send (requests, writes) {
    return new Promise((resolve, reject) => {
      const replies = new Replies(BODY_BYTES)
      let answered = 0
      this.#socket.removeAllListeners('data')
      this.#socket.on('data', chunk => {
        try {
          for (const head of replies.take(chunk)) {
            if (answered++ === writes) this.#cookie = COOKIE.exec(head.toString('latin1'))[1]
          }
        } catch (error) {
          reject(error)
        }
        if (answered === requests.length) resolve(answered)
      })
      this.#socket.write(Buffer.concat(requests))
    })
  }
}

module.exports = { MIX, Visitor }
