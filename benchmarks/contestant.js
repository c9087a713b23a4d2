'use strict'

const { forge, junk, pairOf, valueOf } = require('./cookies')
const exchange = require('./exchange')
const { OTHER_PAGE } = require('./fixture')
const { Load } = require('./load')
const { BODY_BYTES, ROUTES } = require('./routes')
const { Server } = require('./server')

/** The nonce decides how many characters of the peer's base64 need escapes, so its length takes many to know. */
const LOGINS_WEIGHED = 200

/** A server with its load, and the cookies that it gets. */
class Contestant {
  #variant
  #server
  #load
  #cookies

  constructor (variant, server, load, cookies) {
    this.#variant = variant
    this.#server = server
    this.#load = load
    this.#cookies = cookies
  }

  /** @param strangersCookie what a server without sessions is sent */
  static async start (variant, { key, connections, strangersCookie }) {
    const server = await Server.start(variant.name, variant.path, key)
    const own = variant.tagAt === null ? strangersCookie : pairOf((await exchange(server.port, '/login', null)).setCookie)
    const cookies = { own, forged: forge(own, variant.tagAt), junk: junk() }
    return new Contestant(variant, server, await Load.open(server.port, connections, BODY_BYTES), cookies)
  }

  get name () {
    return this.#variant.name
  }

  get cookie () {
    return this.#cookies.own
  }

  /** Throws where a reply is not what it must be: a figure of a server that does something else would be worth nothing. */
  async verify () {
    for (const route of ROUTES) {
      const { text, value, setCookie } = await this.#ask(route)
      const expected = this.#variant.tagAt === null && route.cookie !== 'own' ? ROUTES[0].value : route.value
      const writes = this.#variant.tagAt !== null && route.writes
      if (value !== expected || text.length !== BODY_BYTES) this.#fail(route, `replied ${text}, wanted the value ${expected}`)
      if ((setCookie !== null) !== writes) this.#fail(route, `Set-Cookie is ${setCookie}`)
      if (!writes) continue
      const written = await exchange(this.#server.port, '/read', pairOf(setCookie))
      if (written.value !== OTHER_PAGE) this.#fail(route, `wrote ${written.value}, wanted ${OTHER_PAGE}`)
    }
  }

  /** Microseconds of CPU time per request of the server, over this many requests of one route. */
  async measure (route, count) {
    const before = await this.#server.cpuTime()
    await this.send(route, count)
    return (await this.#server.cpuTime() - before) / count
  }

  async send (route, count) {
    await this.#load.send({ path: route.path, cookie: this.#cookies[route.cookie] }, count)
  }

  /** Lengths of the cookie's value for the whole session; none for a server without one. */
  async weighCookies () {
    if (this.#variant.tagAt === null) return []
    const lengths = []
    for (let login = 0; login < LOGINS_WEIGHED; login++) {
      lengths.push(valueOf((await exchange(this.#server.port, '/login', null)).setCookie).length)
    }
    return lengths
  }

  async stop () {
    this.#load.close()
    await this.#server.stop()
  }

  #ask (route) {
    return exchange(this.#server.port, route.path, this.#cookies[route.cookie])
  }

  #fail (route, what) {
    throw new Error(`${this.name}, ${route.name}: ${what}`)
  }
}

module.exports = { Contestant }
