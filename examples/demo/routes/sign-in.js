'use strict'

const { csrfTokenOf, newCsrfToken } = require('../csrf')
const { ownPath } = require('../own-path')
const { signInPage } = require('../pages/sign-in')
const { revokeTokenOf } = require('../upstream/token')

const SIGN_IN_BODY = {
  type: 'object',
  required: ['username', 'password'],
  properties: {
    username: { type: 'string', minLength: 1, maxLength: 64 },
    password: { type: 'string', minLength: 1, maxLength: 128 },
    to: { type: 'string', maxLength: 256 }
  }
}

const FIRST_PAGE = '/orders'

async function signInRoutes (app, { passwords, upstream }) {
  app.get('/login', async ({ session, query }, reply) => {
    return reply.page(signInPage({ csrf: csrfTokenOf(session), to: ownPath(query.to, FIRST_PAGE) }))
  })

  app.post('/login', { schema: { body: SIGN_IN_BODY } }, async ({ session, body, ip, log }, reply) => {
    const { username, password } = body
    const to = ownPath(body.to, FIRST_PAGE)
    const { user, refusal } = await passwords.check(username, password, ip)
    if (user === null) {
      const page = signInPage({ csrf: csrfTokenOf(session), to, username, problem: refusal.problem })
      return reply.code(refusal.status).headers(refusal.headers).page(page)
    }
    const token = await upstream.tokenFor(user.id)
    await revokeTokenOf(session, upstream, log)
    begin(session, user, token)
    return reply.redirect(to, 303)
  })

  // With `revocation`, any copy of the cookie is over before the reply goes out.
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

module.exports = signInRoutes
