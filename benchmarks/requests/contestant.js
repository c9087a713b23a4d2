'use strict'

const exchange = require('../traffic/exchange')
const { Load } = require('../traffic/load')
const { Server } = require('../traffic/server')
const { cookieOf, cycle, fits, forge, junk } = require('../session/cookies')
const { SESSION_BYTES } = require('../session/data')
const { BODY_BYTES, ROUTES, ROUTES_AT_ALL_SIZES, WRITTEN_PAGE } = require('./routes')

const STAMP = /^session\.t=[^;]/

/** A server with its load, and the cookies that it gets. */
class Contestant {
  #variant
  #server
  #load
  /** By size and kind, a function that returns the next cookie. An empty size: no such session fits into a cookie. */
  #cookies

  constructor (variant, server, load, cookies) {
    this.#variant = variant
    this.#server = server
    this.#load = load
    this.#cookies = cookies
  }

  /** @param sealed cookies of this package by size and kind; also for servers without sessions, which parse them */
  static async start (variant, { key, connections, sealed, redisUrl }) {
    const server = await Server.start(variant.name, variant.path, { key, redisUrl })
    const cookies = {}
    for (const bytes of Object.keys(sealed)) {
      const isOther = variant.hasSession && !variant.isSealed
      const own = isOther ? await loginOf(server.port, bytes) : sealed[bytes].own
      cookies[bytes] = own.length === 0 ? {} : cookiesFor(variant, isOther ? { own } : sealed[bytes])
    }
    return new Contestant(variant, server, await Load.open(server.port, connections, BODY_BYTES), cookies)
  }

  get name () {
    return this.#variant.name
  }

  get isSlow () {
    return this.#variant.isSlow === true
  }

  takes (route, bytes) {
    const { isMain, isSealed, hasSession } = this.#variant
    if (bytes !== SESSION_BYTES && !(isMain && ROUTES_AT_ALL_SIZES.includes(route.name))) return false
    if (route.isSealedOnly && !isSealed && !(isMain && !hasSession)) return false
    return this.#cookies[bytes][route.cookie] !== undefined
  }

  /** Throws where a reply is wrong: the figure of a server that does something else would be worth nothing. */
  async verify () {
    for (const bytes of Object.keys(this.#cookies).map(Number)) {
      for (const route of ROUTES) if (this.takes(route, bytes)) await this.#verify(route, bytes)
    }
  }

  async #verify (route, bytes) {
    const { hasSession = false, clears = false } = this.#variant
    const ask = (path, cookie) => exchange(this.#server.port, path, cookie)
    const { status, text, setCookies } = await ask(route.path, this.#cookies[bytes][route.cookie]())
    const fail = what => {
      const found = `found ${status} ${text}, and Set-Cookie: ${setCookies}`
      throw new Error(`${this.name}, ${route.name}, ${bytes} bytes: ${what}; ${found}`)
    }
    const expected = hasSession ? route.value : ROUTES.find(({ path }) => path === route.path).value
    if (status !== 200 || JSON.parse(text).value !== expected || text.length !== BODY_BYTES) fail(`wanted ${expected}`)
    const written = setCookies.filter(line => !clears || cookieOf([line]) !== '')
    if (!hasSession || route.sets === undefined) {
      if (written.length > 0) fail('wanted no cookie')
    } else if (route.sets === 'stamp') {
      if (written.length !== 1 || !STAMP.test(written[0])) fail('wanted a stamp')
    } else {
      const read = await ask('/read', cookieOf(written))
      if (!WRITTEN_PAGE.test(JSON.parse(read.text).value)) fail(`wanted what was written; read ${read.text}`)
    }
  }

  /** Microseconds of CPU time of the server per request, over this many requests of one route. */
  async measure (route, bytes, count) {
    const before = await this.#server.cpuTime()
    await this.send(route, bytes, count)
    return (await this.#server.cpuTime() - before) / count
  }

  async send (route, bytes, count) {
    await this.#load.send(route.path, this.#cookies[bytes][route.cookie], count)
  }

  async stop () {
    this.#load.close()
    await this.#server.stop()
  }
}

/** The cookie of a new session, as a list; empty where it does not fit. */
async function loginOf (port, bytes) {
  const { status, setCookies } = await exchange(port, `/login?bytes=${bytes}`, null)
  const own = cookieOf(setCookies)
  return status === 200 && fits(own) ? [own] : []
}

/** "untouched" is no part of the cycle: its cookies are not opened, so they would not push others out of the cache. */
function cookiesFor ({ isMiss }, { own, due, stamped }) {
  const refused = { forged: [forge(own[0])], junk: [junk()], none: [null] }
  const cookies = { own, untouched: own.slice(0, 1), ...refused, due, stamped }
  const given = Object.entries(cookies).filter(([, list]) => list !== undefined)
  return Object.fromEntries(given.map(([kind, list]) => [kind, cycle(isMiss ? list : list.slice(0, 1))]))
}

module.exports = { Contestant }
