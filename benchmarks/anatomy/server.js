'use strict'

const { join } = require('node:path')
const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const { NOTHING, PAGE, nextPage, sessionData } = require('../session/data')
const { CALLS, HOOK, LIB, STEPS, timeAll } = require('./steps')
const { Stopwatch } = require('./stopwatch')

const secureSession = require('../../index.ts')
const decryptAlone = require(join(LIB, 'core/aead')).decrypt

/**
 * This package, and a stopwatch at what its handlers call and at its onSend hook; with `isTimed`, at all steps as well.
 * @param requests how many are kept, the first since `begin` was asked
 */
module.exports = async function server ({ key, isTimed, requests }) {
  const stopwatch = new Stopwatch(STEPS.length)
  if (isTimed) timeAll(stopwatch)
  const kept = new Kept(stopwatch, requests)
  const app = fastify()
  await app.register(cookie)
  app.addHook('onSend', (request, reply, payload, done) => {
    kept.enterHook()
    done()
  })
  await app.register(secureSession, { key })
  app.addHook('onSend', (request, reply, payload, done) => {
    kept.leaveHook(request)
    done()
  })
  addRoutes(app, kept)
  app.answers = { begin: () => kept.begin(), found: () => kept.found(), loop: () => decryptInLoop(key) }
  return app
}

/** What the stopwatch said of each request. A request runs in one go, but for the promise of its handler. */
class Kept {
  #stopwatch
  #rows
  #count = 0
  #request = null
  #outer = 0

  constructor (stopwatch, requests) {
    this.#stopwatch = stopwatch
    this.#rows = Array.from({ length: requests }, () => new Float64Array(stopwatch.spent.length))
  }

  begin () {
    this.#count = 0
    return null
  }

  /** Milliseconds of each request by step, and how often the steps were entered by the last. */
  found () {
    const { calls, inner } = this.#stopwatch.counts
    return { rows: this.#rows.slice(0, this.#count).map(row => [...row]), calls: [...calls], inner: [...inner] }
  }

  enterCalls (request) {
    this.#stopwatch.reset()
    this.#request = request
    this.#outer = this.#stopwatch.enter(CALLS)
  }

  leaveCalls () {
    this.#stopwatch.calibrate()
    this.#stopwatch.leave(this.#outer)
  }

  enterHook () {
    this.#outer = this.#stopwatch.enter(HOOK)
  }

  leaveHook (request) {
    this.#stopwatch.leave(this.#outer)
    if (this.#request === request && this.#count < this.#rows.length) this.#rows[this.#count++].set(this.#stopwatch.spent)
  }
}

function addRoutes (app, kept) {
  app.get('/read', async request => {
    kept.enterCalls(request)
    const value = request.session.get('page')
    kept.leaveCalls()
    return { value: value ?? NOTHING }
  })
  app.get('/write', async request => {
    const page = nextPage()
    kept.enterCalls(request)
    request.session.set('page', page)
    kept.leaveCalls()
    return { value: PAGE }
  })
}

const LOOPS = 20_000

/** Microseconds of one decryption of such a session by the package's own function, and of nothing else in between. */
function decryptInLoop (key) {
  const { NONCE_BYTES, TAG_BYTES, encrypt } = require(join(LIB, 'core/aead'))
  const { EXTENSIONS_AT: envelopeBytes, NONCE_AT: headBytes } = require(join(LIB, 'core/format'))
  const plaintext = Buffer.alloc(envelopeBytes + JSON.stringify(sessionData()).length)
  const ciphertext = Buffer.alloc(plaintext.length + TAG_BYTES)
  const head = Buffer.alloc(headBytes)
  const nonce = Buffer.alloc(NONCE_BYTES)
  encrypt(ciphertext, plaintext, head, nonce, key)
  const loop = () => {
    const before = performance.now()
    for (let count = 0; count < LOOPS; count++) decryptAlone(plaintext, ciphertext, head, nonce, key)
    return (performance.now() - before) * 1000 / LOOPS
  }
  loop()
  return loop()
}
