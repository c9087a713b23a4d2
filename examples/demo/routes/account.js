'use strict'

const { csrfTokenOf, newCsrfToken } = require('../csrf')
const { ownPath } = require('../own-path')
const { confirmPage } = require('../pages/confirm')
const { passwordPage } = require('../pages/password')
const { sessionsPage } = require('../pages/sessions')
const { revokeTokenOf } = require('../upstream/token')

const KEPT = ['user', 'upstreamToken', 'cart']
const FIRST_PAGE = '/sessions'

const END_BODY = { type: 'object', required: ['end'], properties: { end: { enum: ['others', 'all'] } } }
const SESSIONS_QUERY = { type: 'object', properties: { done: { enum: ['others', 'password'] } } }
const NEW_PASSWORD_BODY = { type: 'object', required: ['password'], properties: { password: { type: 'string', minLength: 12, maxLength: 128 } } }
const CONFIRM_BODY = {
  type: 'object',
  required: ['password'],
  properties: { password: { type: 'string', minLength: 1, maxLength: 128 }, to: { type: 'string', maxLength: 256 } }
}

/** The account routes of a signed-in user. */
async function accountRoutes (app, { passwords, users, upstream, overTls }) {
  await app.register(app.sessionGuard)

  app.get('/sessions', { schema: { querystring: SESSIONS_QUERY } }, async ({ session, query }, reply) => {
    const { info } = session
    const boundSinceMs = app.bindings.since(session.get('user').id, info)
    const csrf = csrfTokenOf(session)
    return reply.page(sessionsPage({ csrf, info, overTls, boundSinceMs, done: query.done, nowMs: Date.now() }))
  })

  app.post('/sessions', { schema: { body: END_BODY } }, async ({ session, body, log }, reply) => {
    if (body.end === 'others') {
      await session.revokeOthers()
      return reply.redirect('/sessions?done=others', 303)
    }
    await app.secureSession.revokeSubject(session.get('user').id)
    await revokeTokenOf(session, upstream, log)
    session.delete()
    return reply.redirect('/', 303)
  })

  // A session may be hours old, and another person may use the machine now.
  const afterFreshLogin = app.requireSession({ freshWithin: '5m' })
  const forNewPassword = overTls ? [afterFreshLogin, provenIfBound(app)] : afterFreshLogin

  app.get('/account/password', { onRequest: forNewPassword }, async ({ session }, reply) => {
    return reply.page(passwordPage({ csrf: csrfTokenOf(session), user: session.get('user') }))
  })

  app.post('/account/password', { onRequest: forNewPassword, schema: { body: NEW_PASSWORD_BODY } }, async ({ session, body }, reply) => {
    await users.setPassword(session.get('user'), body.password)
    // In this order: until the new password holds, the old one would let anybody in again.
    await session.revokeOthers()
    return reply.redirect('/sessions?done=password', 303)
  })

  app.get('/confirm', async ({ session, query }, reply) => {
    const to = ownPath(query.to, FIRST_PAGE)
    return reply.page(confirmPage({ csrf: csrfTokenOf(session), to, user: session.get('user') }))
  })

  app.post('/confirm', { schema: { body: CONFIRM_BODY } }, async ({ session, body, ip }, reply) => {
    const to = ownPath(body.to, FIRST_PAGE)
    const { user, refusal } = await passwords.check(session.get('user').id, body.password, ip)
    if (user === null) {
      const page = confirmPage({ csrf: csrfTokenOf(session), to, user: session.get('user'), problem: refusal.problem })
      return reply.code(refusal.status).headers(refusal.headers).page(page)
    }
    // A login like any other: a new id, and both clocks start again. The old id is over.
    session.regenerate(KEPT)
    session.set('csrf', newCsrfToken())
    return reply.redirect(to, 303)
  })
}

/**
 * A guard that a copy of the cookies never passes: the browser signs now. A session that is not bound passes, for its
 * browser may know nothing of this.
 */
function provenIfBound (app) {
  const afterProof = app.requireSession({ provenWithin: '2m' })
  return async (request, reply) => {
    if (request.session.info.bound) await afterProof(request, reply)
  }
}

module.exports = accountRoutes
