'use strict'

const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const sodium = require('sodium-native')
const { NOTHING, OTHER_PAGE, PAGE, sessionData } = require('../fixture')

const NONCE_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
const TAG_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_ABYTES

/**
 * What someone writes by hand into the handlers, with no plugin: the least that a sealed session can cost. It has no
 * expiry, no key rotation, no check of the spelling, and a change inside an object is lost.
 */
module.exports = function floor ({ key }) {
  const app = fastify()
  app.register(cookie)

  function open (token) {
    try {
      const sealed = Buffer.from(token, 'base64url')
      const data = Buffer.allocUnsafe(sealed.length - NONCE_BYTES - TAG_BYTES)
      sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(data, null, sealed.subarray(NONCE_BYTES), null, sealed.subarray(0, NONCE_BYTES), key)
      return JSON.parse(data.toString())
    } catch {
      return {}
    }
  }

  function seal (reply, session) {
    const data = Buffer.from(JSON.stringify(session))
    const sealed = Buffer.allocUnsafe(NONCE_BYTES + data.length + TAG_BYTES)
    const nonce = sealed.subarray(0, NONCE_BYTES)
    sodium.randombytes_buf(nonce)
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.subarray(NONCE_BYTES), data, null, null, nonce, key)
    reply.header('set-cookie', `session=${sealed.toString('base64url')}; Path=/; HttpOnly; SameSite=Lax`)
  }

  app.get('/login', async (request, reply) => {
    seal(reply, sessionData())
    return { value: PAGE }
  })
  app.get('/untouched', async () => ({ value: PAGE }))
  app.get('/read', async request => {
    const session = open(request.cookies.session)
    return { value: session.page ?? NOTHING }
  })
  app.get('/read-object', async request => {
    const session = open(request.cookies.session)
    return { value: session.user.name }
  })
  app.get('/write', async (request, reply) => {
    const session = open(request.cookies.session)
    session.page = OTHER_PAGE
    seal(reply, session)
    return { value: PAGE }
  })
  return app
}
