'use strict'

const { csrfTokenOf, newCsrfToken } = require('../csrf')
const { signInPage } = require('../pages/sign-in')

const SIGN_IN_BODY = {
  type: 'object',
  required: ['username', 'password'],
  properties: {
    username: { type: 'string', minLength: 1, maxLength: 64 },
    password: { type: 'string', minLength: 1, maxLength: 128 }
  }
}

async function signInRoutes (app, { users, upstream, throttle }) {
  app.get('/login', async ({ session }, reply) => reply.page(signInPage({ csrf: csrfTokenOf(session) })))

  app.post('/login', { schema: { body: SIGN_IN_BODY } }, async ({ session, body, ip, log }, reply) => {
    const { username, password } = body
    const again = problem => reply.page(signInPage({ csrf: csrfTokenOf(session), username, problem }))

    const waitSeconds = throttle.attempt(username, ip, Date.now())
    if (waitSeconds > 0) {
      reply.code(429).header('retry-after', waitSeconds)
      return again(`Too many attempts. Please wait ${waitSeconds} seconds.`)
    }
    const user = await users.verify(username, password)
    if (user === null) {
      reply.code(401)
      return again('That name and password do not belong together.')
    }
    throttle.forget(username, ip)
    const token = await upstream.tokenFor(user.id)
    await revokeTokenOf(session, upstream, log)
    begin(session, user, token)
    return reply.redirect('/orders', 303)
  })

  app.post('/logout', async ({ session, log }, reply) => {
    await revokeTokenOf(session, upstream, log)
    session.delete()
    return reply.redirect('/', 303)
  })
}

/** A new session id and new clocks. Of what was there, a stranger's cart stays; another user's does not, and no token. */
function begin (session, user, upstreamToken) {
  session.regenerate(session.has('user') ? [] : ['cart'])
  session.set('user', user)
  session.set('upstreamToken', upstreamToken)
  session.set('csrf', newCsrfToken())
}

/** A copied cookie outlives the sign-out; the token in it does not. Upstream may be away: that keeps nobody signed in. */
async function revokeTokenOf (session, upstream, log) {
  if (!session.has('upstreamToken')) return
  try {
    await upstream.revoke(session.get('upstreamToken'))
  } catch (error) {
    log.error(error)
  }
}

module.exports = signInRoutes
