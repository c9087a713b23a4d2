'use strict'

const BODY = {
  type: 'object',
  required: ['username', 'password'],
  properties: {
    username: { type: 'string', minLength: 1, maxLength: 64 },
    password: { type: 'string', minLength: 1, maxLength: 128 }
  }
}

/**
 * Logging in, logging out, and logging out everywhere.
 * @param afterRevocation gets the id of a user who logged out everywhere, and the time in milliseconds up to which
 */
async function sessionRoutes (app, { users, throttle, afterRevocation = () => {} }) {
  app.post('/session', { schema: { body: BODY } }, async ({ session, body, ip }, reply) => {
    const { username, password } = body
    const waitSeconds = throttle.attempt(username, ip, Date.now())
    if (waitSeconds > 0) return reply.code(429).header('retry-after', waitSeconds).send({ problem: 'too many attempts' })
    const user = await users.verify(username, password)
    if (user === null) return reply.code(401).send({ problem: 'that name and password do not belong together' })
    throttle.forget(username, ip)
    session.regenerate()
    session.set('user', user)
    return user
  })

  app.delete('/session', async ({ session }, reply) => {
    session.delete()
    return reply.code(204).send()
  })

  app.delete('/sessions', { onRequest: app.requireSession() }, async ({ session }, reply) => {
    const { id } = session.get('user')
    const upToMs = Date.now()
    await app.secureSession.revokeSubject(id)
    afterRevocation(id, upToMs)
    session.delete()
    return reply.code(204).send()
  })
}

module.exports = sessionRoutes
