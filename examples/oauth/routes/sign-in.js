'use strict'

const { randomBytes } = require('node:crypto')
const { newCsrfToken } = require('../../demo/csrf')
const { isSameSecret } = require('../../demo/same-secret')
const { problem } = require('../problems')
const { ownPage } = require('../return-to')

const text = { type: 'string', maxLength: 1024 }
const BEGIN = { type: 'object', properties: { return_to: text } }
const CALLBACK = { type: 'object', properties: { state: text, code: text, error: text, iss: text } }

const AWAY = new Set(['server_error', 'temporarily_unavailable'])

/**
 * During a sign-in, the state and the PKCE verifier are in the cookies of `@fastify/oauth2`. The nonce and the page to go to
 * afterwards must not be chosen by the client: they are in a second sealed session, `request.attempt`.
 */
async function signInRoutes (app, { identity, revokeTokensOf, issuer, publicUrl, cookies }) {
  app.get('/login', { schema: { querystring: BEGIN } }, async (request, reply) => {
    const nonce = randomBytes(16).toString('base64url')
    const { attempt, query } = request
    attempt.regenerate()
    attempt.set('nonce', nonce)
    attempt.set('returnTo', ownPage(query.return_to, publicUrl))
    const url = new URL(await app.provider.generateAuthorizationUri(request, reply))
    url.searchParams.set('nonce', nonce)
    return reply.redirect(url.href, 303)
  })

  app.get('/login/callback', { schema: { querystring: CALLBACK } }, async (request, reply) => {
    const { attempt, query, session } = request
    // First of all: a stranger's link must not even end a sign-in that is under way.
    if (!isSameSecret(query.state, request.cookies[cookies.state]) || !attempt.has('nonce')) throw problem('sign-in-over')
    const { nonce, returnTo } = attempt.data()
    attempt.delete()
    for (const name of [cookies.state, cookies.verifier]) reply.clearCookie(name, cookies.attributes)
    refuseProblems(query, issuer)

    const { user, tokens } = await identity().signedIn(request, reply, nonce)
    // The tokens of the user who was signed in before are no longer needed. If they cannot be revoked, that is logged.
    await revokeTokensOf(request).catch(error => { request.log.error(error) })
    // The session is touched only now: whatever failed before has left it as it was.
    session.regenerate()
    session.set('user', user)
    session.set('tokens', tokens)
    session.set('csrf', newCsrfToken())
    return reply.redirect(returnTo, 303)
  })
}

/** RFC 6749 section 4.1.2.1, and the issuer by RFC 9207. Throws. */
function refuseProblems ({ error, code, iss }, issuer) {
  if (iss !== undefined && iss !== issuer) throw problem('provider-wrong', 'the answer came from another issuer')
  if (error === 'access_denied') throw problem('cancelled')
  if (AWAY.has(error)) throw problem('provider-away', `the provider answered ${error}`)
  if (error !== undefined || code === undefined) throw problem('provider-wrong', `the provider answered ${JSON.stringify(error)?.slice(0, 64)}`)
}

module.exports = signInRoutes
