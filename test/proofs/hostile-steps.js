'use strict'

/** What a request does to its sessions, step by step, as its query says. Only what Fastify catches may throw here. */

const { setTimeout: pause } = require('node:timers/promises')
const { look, LOOKS } = require('./hostile-looks.js')

/** When an unguarded look comes: some before the reply, most after it. */
const LATER_MS = [0, 1, 5, 20, 60, 150, 300]
const UNAVAILABLE = 'FST_SESSION_STORE_UNAVAILABLE'

const CHANGES = {
  login (session, { who }) {
    session.regenerate()
    session.set('user', who)
    session.set('token', `token ${who}`)
  },
  become (session, { who }) { session.set('user', who) },
  write (session) { session.set('count', (session.get('count') ?? 0) + 1) },
  property (session) { session.color = 'blue'; delete session.count },
  nested (session) {
    if (!session.has('cart')) session.set('cart', { items: [] })
    session.get('cart').items.push('a thing')
  },
  shrink (session) { session.unset('big'); session.unset('cart'); session.unset('poison') },
  big (session, { size }) { session.set('big', 'x'.repeat(Number(size) || 1000)) },
  poison (session, { poison }) { session.set('poison', poison) },
  bigint (session) { session.set('big', 10n) },
  cycle (session) {
    if (!session.has('cart')) session.set('cart', {})
    session.get('cart').self = session.get('cart')
  },
  nestedBigint (session) { session.set('cart', { deep: {} }); session.get('cart').deep.big = 1n },
  toJson (session) { session.set('cart', { toJSON () { throw new Error('toJSON throws') } }) },
  reserved (session) { session.get = 'mine' },
  proto (session) { session.set('__proto__', { polluted: true }); session.set('constructor', 1) },
  keysOfAllKinds (session, query) { session.has(query.key); session.get(query.key); session.unset(query.key) },
  touch (session) { session.touch() },
  regenerate (session) { session.regenerate(['user', 'token']) },
  delete (session) { session.delete() },
  revoke: async session => { await session.revoke() },
  revokeOthers: async session => { await session.revokeOthers() },
  maxAge (session) { session.options({ maxAge: 3600 }) },
  attributes (session) { session.options({ path: '/do', sameSite: 'strict' }) },
  badOptions (session, { text }) { session.options({ path: text, domain: text }) },
  both: async session => { await Promise.all([session.revoke(), session.revokeOthers()].map(settled)) }
}

/** An app awaits all it began: a promise that is left alone would be its own fault. */
async function settled (promise) {
  return await promise.catch(error => error)
}

/** Steps that are about the request, not about one session. */
const OTHERS = {
  pause: async () => { await pause(2) },
  longPause: async () => { await pause(60) },
  throw: () => { throw new Error('a step throws') },
  commit: ({ reply }) => { reply.commitSession() },
  // Where a reply is on its way already, it would come here again, for ever.
  send: ({ reply, hook }) => { if (hook !== 'preSerialization') reply.send({ sent: 'early' }) },
  assign: ({ request, name }) => { request[name] = {} },
  earlyCookie: ({ reply }) => { reply.setCookie('app', 'value', { path: '/' }) },
  createAndEncode: ({ app, query, name }) => {
    app.encodeSecureSession(app.createSecureSession({ user: query.who }), name)
  },
  decode: async ({ app, request, name, cookieName }) => {
    const token = request.cookies?.[cookieName]
    app.decodeSecureSession(token, request.log, name)
    await app.secureSession.decode(token, request.log, name)
  },
  revokeId: async ({ app, session, name }) => { await app.secureSession.revoke(session.info.id, name) },
  revokeSubject: async ({ app, query, name }) => { await app.secureSession.revokeSubject(query.who, name) },
  later: ({ request, reply, names, query }) => { lookLater(request, reply, query.look ?? 'get', names) }
}

/** Looks again and again, where nothing catches what is thrown. */
function lookLater (request, reply, way, names) {
  if (!Object.hasOwn(LOOKS, way)) return
  const unguarded = () => { lookOrCatchOnce(request, reply, way, names) }
  for (const ms of LATER_MS) setTimeout(unguarded, ms)
  setImmediate(unguarded)
  process.nextTick(unguarded)
  queueMicrotask(unguarded)
  for (const event of ['finish', 'close', 'prefinish']) reply?.raw.once(event, unguarded)
  for (const event of ['close', 'end']) request.raw.once(event, unguarded)
}

/** The sessions of a request of which it was thrown that they cannot be told. */
const thrown = new WeakMap()

/** While the reply is open, what cannot be told is thrown once a session and request: a correct app catches that. */
function lookOrCatchOnce (request, reply, way, names) {
  if (!thrown.has(request)) thrown.set(request, new Set())
  for (const name of names) {
    const isOpen = reply !== undefined && !reply.raw.headersSent && !reply.raw.destroyed
    try {
      look(request, way, [name])
    } catch (error) {
      if (error.cause.code !== UNAVAILABLE || !isOpen || thrown.get(request).has(name)) throw error
      thrown.get(request).add(name)
    }
  }
}

/**
 * Runs the steps named in a text such as `login.read:1.pause`; the number says which of the sessions. What was read is
 * returned.
 */
async function runSteps (text, around) {
  const seen = []
  if (typeof text !== 'string' || text === '') return seen
  for (const step of text.split('.')) {
    const [name, index = '0'] = step.split(':')
    const { name: sessionName, cookieName } = around.sessions[Number(index)] ?? around.sessions[0]
    // Null where it is not ready, or cannot be had any more.
    const session = around.request[sessionName] ?? null
    if (session === null) seen.push('no session')
    else if (Object.hasOwn(LOOKS, name)) seen.push(LOOKS[name](session) ?? null)
    else if (Object.hasOwn(CHANGES, name)) await CHANGES[name](session, around.query)
    if (Object.hasOwn(OTHERS, name) && (session !== null || name !== 'revokeId')) {
      const names = around.sessions.map(one => one.name)
      await OTHERS[name]({ ...around, session, name: sessionName, cookieName, names })
    }
  }
  return seen
}

/** One step that waits for nothing, in a hook that must not wait either. */
function runAtOnce (name, { request, query, sessions: [{ name: sessionName }] }) {
  const session = typeof name === 'string' ? request[sessionName] ?? null : null
  if (session === null) return
  if (Object.hasOwn(LOOKS, name)) LOOKS[name](session)
  else if (Object.hasOwn(CHANGES, name)) CHANGES[name](session, query)
}

const STEP_NAMES = [...Object.keys(LOOKS), ...Object.keys(CHANGES), ...Object.keys(OTHERS)]

module.exports = { runSteps, runAtOnce, STEP_NAMES }
