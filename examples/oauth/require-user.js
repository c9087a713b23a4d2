'use strict'

const { problem } = require('./problems')

/**
 * A hook for private routes, and `request.call` for those that call the API. The hook asks for an access token that is
 * still good, also where a route does not need it. So after a sign-out, or when the provider ends the grant, a copied
 * cookie gets no further than the life of one access token.
 */
function addUserGuard (app) {
  app.decorateRequest('call', callWithToken)

  app.decorate('requireUser', async function requireUser (request) {
    if (!request.session.has('user')) throw problem('not-signed-in')
    await freshToken(request)
  })
}

/** Calls with the session's access token, and once more with a new one where the API answers null: it did not take the first. */
async function callWithToken (ask) {
  const token = await freshToken(this)
  const answer = await ask(token) ?? await ask(await freshToken(this, token))
  if (answer === null) throw problem('api-away', 'the API does not take a new access token')
  return answer
}

/** When the provider has ended the grant, the sign-in has ended, too. */
async function freshToken (request, refused) {
  try {
    return await request.freshToken({ refused })
  } catch (error) {
    if (error.code === 'FST_SESSION_GRANT_ENDED') request.session.delete()
    throw error
  }
}

module.exports = { addUserGuard }
