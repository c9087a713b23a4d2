'use strict'

const at = name => require.resolve(`./${name}`)

/**
 * What is measured, by name. The first is what `added` is added to, the second the control: what differs between the two is noise.
 * `isMain`: those that goals are about, which are measured on all routes at all sizes. `hasSession`: it logs in.
 * `isSlow`: it costs several times what the others do, and so gets fewer requests.
 * `hasStamp`: it renews a session by a second cookie. `clears`: it answers a cookie that it refuses with one that clears it.
 */
module.exports = [
  { name: 'baseline', path: at('baseline'), isMain: true, says: '`fastify` and `@fastify/cookie`, which parses the cookies' },
  { name: 'baseline again', path: at('baseline'), isMain: true, says: 'the control, a second one. What it differs by is noise' },
  { name: 'fastify alone', path: at('fastify-alone'), says: 'which looks at no cookie' },
  { name: 'floor', path: at('floor'), isMain: true, hasSession: true, says: 'decryption and JSON written by hand into each handler, with nothing else that a session needs' },
  { name: 'sealed', path: at('sealed'), isMain: true, hasSession: true, hasStamp: true, says: 'this package' },
  { name: 'peer', path: at('peer'), isMain: true, hasSession: true, says: '`@fastify/secure-session`' },
  { name: 'jose', path: at('jose'), isSlow: true, hasSession: true, says: '`jose`: a JWT encrypted with `dir` and `A256GCM`, in the handlers; the key is imported at boot' },
  { name: 'iron-session', path: at('iron-session'), isSlow: true, hasSession: true, says: '`iron-session`, in the handlers' },
  { name: 'h3', path: at('h3'), isSlow: true, hasSession: true, says: '`useSession` of `h3`, in the handlers, with one iteration of key derivation in the place of 8192' },
  { name: 'session, memory', path: at('session-memory'), hasSession: true, clears: true, says: '`@fastify/session`, the sessions in the memory of the process' },
  { name: 'session, Redis', path: at('session-redis'), hasSession: true, clears: true, needsRedis: true, says: '`@fastify/session`, the sessions in Redis on the same machine, whose own CPU time is not in the figure' }
]
