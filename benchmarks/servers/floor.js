'use strict'

const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const sodium = require('sodium-native')
const { NOTHING, PAGE, nextPage, nextValues, sessionData } = require('../session/data')

const NONCE_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
const TAG_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_ABYTES

/**
 * What someone writes by hand into the handlers, with no plugin: the least that a sealed session can cost. It has no expiry, no key
 * rotation, no check of the spelling and no associated data, and a change inside an object is lost. The cipher is the one of this package.
 */
module.exports = function floor ({ key }) {
  const app = fastify()
  app.register(cookie)

  function open (token = '') {
    const sealed = Buffer.from(token, 'base64url')
    if (sealed.length < NONCE_BYTES + TAG_BYTES) return {}
    const data = Buffer.allocUnsafe(sealed.length - NONCE_BYTES - TAG_BYTES)
    try {
      sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(data, null, sealed.subarray(NONCE_BYTES), null, sealed.subarray(0, NONCE_BYTES), key)
    } catch {
      return {}
    }
    return JSON.parse(data.toString())
  }

  function seal (reply, session) {
    const data = Buffer.from(JSON.stringify(session))
    const sealed = Buffer.allocUnsafe(NONCE_BYTES + TAG_BYTES + data.length)
    const nonce = sealed.subarray(0, NONCE_BYTES)
    sodium.randombytes_buf(nonce)
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.subarray(NONCE_BYTES), data, null, null, nonce, key)
    reply.header('set-cookie', `session=${sealed.toString('base64url')}; Path=/; HttpOnly; SameSite=Lax`)
  }

  app.get('/login', async (request, reply) => {
    seal(reply, sessionData(Number(request.query.bytes)))
    return { value: PAGE }
  })
  app.get('/untouched', async () => ({ value: PAGE }))
  app.get('/read', async request => ({ value: open(request.cookies.session).page ?? NOTHING }))
  app.get('/read-object', async request => ({ value: open(request.cookies.session).user.name }))
  app.get('/write', async (request, reply) => {
    const session = open(request.cookies.session)
    session.page = nextPage()
    seal(reply, session)
    return { value: PAGE }
  })
  app.get('/write-all', async (request, reply) => {
    seal(reply, nextValues(request.query.bytes))
    return { value: PAGE }
  })
  return app
}
