'use strict'

const at = name => require.resolve(`./${name}`)

/**
 * The servers to measure, by name. `added` is the difference to the first; the second is the control.
 * - `isMain`: the goals are about it. It is measured at all sizes.
 * - `hasSession`: it has sessions.
 * - `isSealed`: it is this package.
 * - `isMiss`: each of its requests has a different cookie.
 * - `isSlow`: it costs several times as much as the others, so it gets fewer requests.
 * - `clears`: it clears a cookie that it refuses.
 */
module.exports = [
  { name: 'baseline', path: at('baseline'), isMain: true, says: '`fastify` and `@fastify/cookie`' },
  {
    name: 'baseline again',
    path: at('baseline'),
    isMain: true,
    says: 'the control, a second baseline: its difference to the first is noise'
  },
  { name: 'fastify alone', path: at('fastify-alone'), says: 'without `@fastify/cookie`' },
  {
    name: 'floor',
    path: at('floor'),
    isMain: true,
    hasSession: true,
    says: 'decryption and JSON written by hand in each handler, without the other functions of a session'
  },
  {
    name: 'sealed, hit',
    path: at('sealed'),
    isMain: true,
    hasSession: true,
    isSealed: true,
    says: 'this package. All requests have the same cookie, so its token is in the cache'
  },
  {
    name: 'sealed, miss',
    path: at('sealed'),
    isMain: true,
    hasSession: true,
    isSealed: true,
    isMiss: true,
    says: 'this package. The requests cycle through more cookies than the cache holds, so no token is in it'
  },
  {
    name: 'sealed, no cache',
    path: at('sealed-uncached'),
    hasSession: true,
    isSealed: true,
    says: 'this package with `tokenCache: 0`'
  },
  { name: 'peer', path: at('peer'), isMain: true, hasSession: true, says: '`@fastify/secure-session`' },
  {
    name: 'jose',
    path: at('jose'),
    isSlow: true,
    hasSession: true,
    says: '`jose`: a JWT encrypted with `dir` and `A256GCM`, in the handlers; the key is imported at boot'
  },
  {
    name: 'iron-session',
    path: at('iron-session'),
    isSlow: true,
    hasSession: true,
    says: '`iron-session`, in the handlers'
  },
  {
    name: 'h3',
    path: at('h3'),
    isSlow: true,
    hasSession: true,
    says: '`useSession` of `h3`, in the handlers, with 1 iteration of key derivation instead of 8192'
  },
  {
    name: 'session, memory',
    path: at('session-memory'),
    hasSession: true,
    clears: true,
    says: '`@fastify/session`, the sessions in the memory of the process'
  },
  {
    name: 'session, Redis',
    path: at('session-redis'),
    hasSession: true,
    clears: true,
    needsRedis: true,
    says: '`@fastify/session`, the sessions in Redis on the same machine; the CPU time of Redis is not included'
  }
]
