'use strict'

const { problem } = require('./problems')

/**
 * A hook for private routes, and `request.call` for those that call the API. The hook asks for an access token that is
 * still good, also where a route does not need it. So after a sign-out, or when the provider ends the grant, a copied
 * cookie gets no further than the life of one access token.
 */
function addUserGuard (app, freshTokens) {
  app.decorateRequest('call', callWithToken)

  app.decorate('requireUser', async function requireUser ({ session }) {
    if (!session.has('user')) throw problem('not-signed-in')
    await accessTokenOf(session)
  })

  /** Calls with the session's access token, and once more with a new one where the API answers null: it did not take the first. */
  async function callWithToken (ask) {
    const { session } = this
    const token = await accessTokenOf(session)
    const answer = await ask(token) ?? await ask(await accessTokenOf(session, token))
    if (answer === null) throw problem('api-away', 'the API does not take a new access token')
    return answer
  }

  async function accessTokenOf (session, refused) {
    const token = await freshTokens.accessTokenOf(session, refused)
    if (token !== null) return token
    session.delete()
    throw problem('grant-ended')
  }
}

module.exports = { addUserGuard }
