'use strict'

const { dirname, join } = require('node:path')

/** Of the built package. Its modules call each other through their exports, so what is put there is what they call. */
const LIB = join(dirname(require.resolve('fastify-sealed-session')), 'lib')

const ALL = ['read', 'write', 'forged', 'junk']
const SEALED = ['read', 'write', 'forged']
const OPENED = ['read', 'write']
const WRITTEN = ['write']

/**
 * What a request passes through, in this order. `functions`: modules, and the paths of functions in them. What has none is all else of the
 * handler's calls, or of the hook. `on`: the routes that get there. `kind`: what is of one colour.
 */
const STEPS = [
  { name: 'find the cookie in the header', kind: 'Cookie header', on: ALL, functions: { 'cookies/header': ['cookieValues'] } },
  { name: 'decode base64url', kind: 'base64url', on: SEALED, functions: { 'core/bytes': ['decodeBase64url'] } },
  { name: 'decrypt', kind: 'cipher', on: SEALED, functions: { 'core/aead': ['decrypt'] } },
  { name: 'read the envelope', kind: 'envelope', on: OPENED, functions: { 'core/envelope': ['readEnvelope'] } },
  { name: 'read the JSON', kind: 'JSON', on: OPENED, functions: { 'session/json-data': ['JsonData.in'] } },
  { name: 'the session object, and the rest of the call', kind: 'session object', on: ALL },
  { name: 'write the new JSON', kind: 'JSON', on: WRITTEN, functions: { 'session/values': ['Values.prototype.encode'] } },
  { name: 'gather id, times and settings', kind: 'envelope', on: WRITTEN, functions: { 'session/head': ['Head.prototype.seal'] } },
  { name: 'write the envelope', kind: 'envelope', on: WRITTEN, functions: { 'core/envelope': ['writeEnvelope'] } },
  { name: 'draw the nonce', kind: 'nonce', on: WRITTEN, functions: { 'core/aead': ['randomize'] } },
  { name: 'encrypt', kind: 'cipher', on: WRITTEN, functions: { 'core/aead': ['encrypt'] } },
  { name: 'encode base64url', kind: 'base64url', on: WRITTEN, functions: { 'core/token': ['sealToken'] } },
  {
    name: 'headers of the reply',
    kind: 'reply headers',
    on: ALL,
    functions: { 'cookies/lines': ['CookieLines.prototype.set'], 'plugin/reply-headers': ['putSetCookies'], 'plugin/caching': ['forbidStoring', 'varyByCookie'] }
  },
  { name: 'the rest of the onSend hook', kind: 'onSend hook', on: ALL }
]

const numberOf = kind => STEPS.findIndex(step => step.kind === kind) + 1
const CALLS = numberOf('session object')
const HOOK = numberOf('onSend hook')

/** Puts a timer around the functions of all steps. Throws where there is no such function. */
function timeAll (stopwatch) {
  STEPS.forEach(({ functions = {} }, index) => {
    for (const [module, paths] of Object.entries(functions)) {
      for (const path of paths) {
        const names = path.split('.')
        const name = names.pop()
        const holder = names.reduce((object, key) => object[key], require(join(LIB, module)))
        if (typeof holder[name] !== 'function') throw new Error(`no function ${path} in ${module}`)
        holder[name] = stopwatch.timed(index + 1, holder[name])
      }
    }
  })
}

module.exports = { CALLS, HOOK, LIB, STEPS, timeAll }
