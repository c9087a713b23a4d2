'use strict'

const { createHash, generateKeyPairSync, randomBytes, sign, X509Certificate } = require('node:crypto')

const YEARS = 10

/**
 * A new private key and a certificate for `localhost` that it signed itself, as one text in PEM.
 *
 * `node:crypto` makes keys and signatures, but no certificates, and a fresh machine may have no openssl. So the few
 * fields that a browser needs are written here, in DER: RFC 5280 section 4.1.
 */
function makeCertificate (now = new Date()) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(set(sequence(COMMON_NAME, utf8('localhost'))))
  const until = new Date(now)
  until.setUTCFullYear(now.getUTCFullYear() + YEARS)
  const content = sequence(
    der(0xa0, VERSION_3), integer(serialNumber()), ECDSA_WITH_SHA256, name,
    sequence(utcTime(now), utcTime(until)), name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(SUBJECT_ALT_NAME, octets(sequence(dnsName('localhost'))))))
  )
  const certificate = sequence(content, ECDSA_WITH_SHA256, bits(sign('sha256', content, privateKey)))
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) + pem('CERTIFICATE', certificate)
}

/** SHA-256 of the public key in a certificate, in base64: by this, Chromium can be told to trust it. */
function publicKeyHash (certificate) {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(key).digest('base64')
}

/** A tag, the length and the content. Above 127, the length has a byte that says how many bytes follow it. */
function der (tag, ...parts) {
  const content = Buffer.concat(parts)
  const { length } = content
  const bytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...bytes]), content])
}

const sequence = (...parts) => der(0x30, ...parts)
const set = (...parts) => der(0x31, ...parts)
const integer = bytes => der(0x02, bytes)
const bits = bytes => der(0x03, Buffer.from([0]), bytes)
const octets = bytes => der(0x04, bytes)
const utf8 = text => der(0x0c, Buffer.from(text))
const dnsName = text => der(0x82, Buffer.from(text))
const objectId = hex => der(0x06, Buffer.from(hex, 'hex'))

/** `261130160500Z`: good until 2049. */
function utcTime (date) {
  return der(0x17, Buffer.from(`${date.toISOString().replace(/\D/g, '').slice(2, 14)}Z`))
}

/** Positive, and as short as an integer must be: its first byte is from 64 to 127. */
function serialNumber () {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0] & 0x3f) | 0x40
  return bytes
}

const VERSION_3 = integer(Buffer.from([2]))
const COMMON_NAME = objectId('550403')
const SUBJECT_ALT_NAME = objectId('551d11')
const ECDSA_WITH_SHA256 = sequence(objectId('2a8648ce3d040302'))

function pem (label, bytes) {
  const lines = bytes.toString('base64').match(/.{1,64}/g)
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

module.exports = { makeCertificate, publicKeyHash }
