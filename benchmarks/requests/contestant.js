'use strict'

const exchange = require('../traffic/exchange')
const { Load } = require('../traffic/load')
const { Server } = require('../traffic/server')
const { cookieOf, fits, forge, junk, valueOf } = require('../session/cookies')
const agedCookies = require('./aged-cookies')
const { BODY_BYTES, FEW_ROUTES, ROUTES, WRITTEN_PAGE } = require('./routes')

const STAMP = /^session\.t=[^;]/

/** A server with its load, and the cookies that it gets. */
class Contestant {
  #variant
  #server
  #load
  #cookies
  #mainSize

  constructor (variant, server, load, cookies, mainSize) {
    this.#variant = variant
    this.#server = server
    this.#load = load
    this.#cookies = cookies
    this.#mainSize = mainSize
  }

  /**
   * @param sizes the first is the main one, at which all routes are measured
   * @param strangers cookies by size, for a server without sessions: what it has to parse
   */
  static async start (variant, { key, connections, sizes, strangers, redisUrl }) {
    const server = await Server.start(variant.name, variant.path, { key, redisUrl })
    const cookies = {}
    for (const bytes of sizes) cookies[bytes] = variant.hasSession ? await loginOf(variant, server.port, key, bytes) : strangers[bytes]
    return new Contestant(variant, server, await Load.open(server.port, connections, BODY_BYTES), cookies, sizes[0])
  }

  get name () {
    return this.#variant.name
  }

  get isMain () {
    return this.#variant.isMain === true
  }

  get isSlow () {
    return this.#variant.isSlow === true
  }

  /** By size; null where no session of that size fits into its cookie. */
  get cookies () {
    return this.#cookies
  }

  takes (route, bytes) {
    if (this.#cookies[bytes] === null) return false
    if (route.needsStamp && this.#variant.hasSession && !this.#variant.hasStamp) return false
    if (route.needsStamp && !this.isMain) return false
    return this.isMain || bytes === this.#mainSize || FEW_ROUTES.includes(route.name)
  }

  /** Throws where a reply is not what it must be: a figure of a server that does something else would be worth nothing. */
  async verify () {
    for (const bytes of Object.keys(this.#cookies).map(Number)) {
      for (const route of ROUTES) if (this.takes(route, bytes)) await this.#verify(route, bytes)
    }
  }

  async #verify (route, bytes) {
    const { hasSession = false, clears = false } = this.#variant
    const ask = (path, cookie) => exchange(this.#server.port, path, cookie)
    const { status, text, setCookies } = await ask(route.path, this.#cookies[bytes][route.cookie])
    const fail = what => { throw new Error(`${this.name}, ${route.name}, ${bytes} bytes: ${what}; found ${status} ${text}, and Set-Cookie: ${setCookies}`) }
    const expected = hasSession || route.sets !== undefined ? route.value : ROUTES.find(({ path }) => path === route.path).value
    if (status !== 200 || JSON.parse(text).value !== expected || text.length !== BODY_BYTES) fail(`wanted ${expected}`)
    const written = setCookies.filter(line => !clears || valueOf(line) !== '')
    if (!hasSession || route.sets === undefined) {
      if (written.length > 0) fail('wanted no cookie')
    } else if (route.sets === 'stamp') {
      if (written.length !== 1 || !STAMP.test(written[0])) fail('wanted a stamp')
    } else {
      const read = await ask('/read', cookieOf(written))
      if (!WRITTEN_PAGE.test(JSON.parse(read.text).value)) fail(`wanted what was written; read ${read.text}`)
    }
  }

  /** Microseconds of CPU time per request of the server, over this many requests of one route. */
  async measure (route, bytes, count) {
    const before = await this.#server.cpuTime()
    await this.send(route, bytes, count)
    return (await this.#server.cpuTime() - before) / count
  }

  async send (route, bytes, count) {
    await this.#load.send({ path: route.path, cookie: this.#cookies[bytes][route.cookie] }, count)
  }

  async stop () {
    this.#load.close()
    await this.#server.stop()
  }
}

async function loginOf (variant, port, key, bytes) {
  const { status, setCookies } = await exchange(port, `/login?bytes=${bytes}`, null)
  const own = cookieOf(setCookies)
  if (status !== 200 || !fits(own)) return null
  const aged = variant.hasStamp ? await agedCookies(key, bytes) : {}
  return { own, forged: forge(own), junk: junk(), none: null, ...aged }
}

module.exports = { Contestant }
