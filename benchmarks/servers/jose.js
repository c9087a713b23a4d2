'use strict'

const { webcrypto } = require('node:crypto')
const fastify = require('fastify')
const cookie = require('@fastify/cookie')
const { EncryptJWT, jwtDecrypt } = require('jose')
const attributes = require('./attributes')
const handWrittenRoutes = require('./hand-written-routes')

const HEADER = { alg: 'dir', enc: 'A256GCM' }

/** A JWT encrypted with the key itself, which is imported once, at boot. Its claims are the session, and until when it is good. */
module.exports = async function jose ({ key }) {
  const cryptoKey = await webcrypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt'])
  const app = fastify()
  app.register(cookie)

  async function read (request) {
    const token = request.cookies.session
    if (token === undefined) return {}
    try {
      return (await jwtDecrypt(token, cryptoKey)).payload
    } catch {
      return {}
    }
  }

  async function write (request, reply, changes) {
    const claims = Object.assign(await read(request), changes)
    const token = await new EncryptJWT(claims).setProtectedHeader(HEADER).setExpirationTime('1d').encrypt(cryptoKey)
    reply.setCookie('session', token, attributes)
  }

  handWrittenRoutes(app, { read, write })
  return app
}
