'use strict'

const { join } = require('node:path')
require('../../test/loader/typescript')

/** Not bundled: these modules call each other through their exports, so a replaced export is called. */
const LIB = join(__dirname, '../../lib')

const HITS = ['read, hit', 'change, hit']
const MISSES = ['read, miss', 'change, miss']
const CHANGES = ['change, hit', 'change, miss']
const DECRYPTED = [...MISSES, 'forged']
const TRIED = [...HITS, ...DECRYPTED]
const ALL = [...TRIED, 'junk']

/**
 * The steps of a request, in this order. `functions`: modules, and the paths of functions in them. A step without them
 * is the rest of the handler's calls, or of the hook. `on`: the routes that take the step. `kind`: steps of one colour.
 */
const STEPS = [
  {
    name: 'find the cookie in the header',
    kind: 'Cookie header',
    on: ALL,
    functions: { 'cookies/header': ['cookieValues'] }
  },
  {
    name: 'look up the cache',
    kind: 'cache',
    on: TRIED,
    functions: { 'core/token-cache': ['TokenCache.prototype.get'] }
  },
  { name: 'decode base64url', kind: 'base64url', on: DECRYPTED, functions: { 'core/bytes': ['decodeBase64url'] } },
  { name: 'decrypt', kind: 'cipher', on: DECRYPTED, functions: { 'core/aead': ['decrypt'] } },
  {
    name: 'read the envelope',
    kind: 'envelope',
    on: MISSES,
    functions: { 'core/envelope': ['readEnvelope'], 'session/extensions': ['readExtended'] }
  },
  {
    name: 'read the JSON',
    kind: 'JSON',
    // A plain value of a cached token is read without parsing.
    on: ['change, hit', ...MISSES],
    functions: { 'session/codec': ['jsonCodec.read', 'jsonCodec.parse'] }
  },
  {
    name: 'note it for the cache',
    kind: 'cache',
    on: MISSES,
    functions: { 'core/token-cache': ['TokenCache.prototype.openedBefore'] }
  },
  { name: 'the session object, and the rest of the call', kind: 'session object', on: ALL },
  { name: 'plan', kind: 'plan', on: ALL, functions: { 'plugin/plan': ['planOf'] } },
  { name: 'write the JSON', kind: 'JSON', on: CHANGES, functions: { 'session/codec': ['jsonCodec.serialize'] } },
  { name: 'write the envelope', kind: 'envelope', on: CHANGES, functions: { 'core/envelope': ['writeEnvelope'] } },
  { name: 'draw the nonce', kind: 'nonce', on: CHANGES, functions: { 'core/aead': ['randomize'] } },
  { name: 'encrypt', kind: 'cipher', on: CHANGES, functions: { 'core/aead': ['encrypt'] } },
  { name: 'encode base64url', kind: 'base64url', on: CHANGES, functions: { 'core/token': ['sealToken'] } },
  {
    name: 'headers of the reply',
    kind: 'reply headers',
    on: ALL,
    functions: {
      'cookies/lines': ['CookieLines.prototype.set'],
      'plugin/reply': ['putSetCookies'],
      'plugin/caching': ['forbidStoring', 'varyBy']
    }
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
