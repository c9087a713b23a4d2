'use strict'

const { randomBytes } = require('node:crypto')
const fastify = require('fastify')
const secureSession = require('@fastify/secure-session')
const sodium = require('sodium-native')
const { createSealer } = require('fastify-sealed-session/sealer')
const { forge, junk } = require('../session/cookies')

const NONCE_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
const TAG_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_ABYTES

/** What is called to seal and to open this session, as `{ [kind]: { [name]: call } }`. Everything that can be is set up before. */
module.exports = async function callsFor (session) {
  const key = randomBytes(32)
  const json = JSON.stringify(session)
  const bare = bareCalls(Buffer.from(json), key)
  const sealer = createSealer({ key })
  const token = sealer.seal(session)
  const forged = valueOf(forge(`session=${token}`))
  const stranger = valueOf(junk())
  const peer = await peerCalls(session, key)
  return {
    seal: {
      'libsodium alone': bare.encrypt,
      'JSON alone': () => JSON.stringify(session),
      sealed: () => sealer.seal(session),
      peer: peer.seal
    },
    open: {
      'libsodium alone': bare.decrypt,
      'JSON alone': () => JSON.parse(json),
      sealed: () => sealer.open(token),
      peer: peer.open,
      'sealed, forged': () => sealer.open(forged),
      'sealed, junk': () => sealer.open(stranger)
    }
  }
}

/** The cipher that the package uses, on buffers that are there already; with a nonce drawn to seal. */
function bareCalls (data, key) {
  const nonce = Buffer.alloc(NONCE_BYTES)
  const ciphertext = Buffer.alloc(data.length + TAG_BYTES)
  const opened = Buffer.alloc(data.length)
  const encrypt = () => {
    sodium.randombytes_buf(nonce)
    return sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(ciphertext, data, null, null, nonce, key)
  }
  encrypt()
  const sealed = Buffer.from(ciphertext)
  const sealedWith = Buffer.from(nonce)
  return { encrypt, decrypt: () => sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(opened, null, sealed, null, sealedWith, key) }
}

async function peerCalls (session, key) {
  const app = fastify()
  await app.register(secureSession, { key })
  const made = app.createSecureSession({ ...session })
  const token = app.encodeSecureSession(made)
  return { seal: () => app.encodeSecureSession(made), open: () => app.decodeSecureSession(token) }
}

function valueOf (cookie) {
  return cookie.slice(cookie.indexOf('=') + 1)
}
