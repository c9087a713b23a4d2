'use strict'

const { signedOutPage } = require('../pages/signed-out')

/** By POST, guarded like every form: a link or an image on another site cannot sign a user out. */
async function signOutRoutes (app, { identity, revokeTokensOf }) {
  app.post('/logout', async (request, reply) => {
    const isProviderThere = await revoke(request)
    request.session.delete()
    return reply.redirect(isProviderThere ? identity().endSessionUrl() : '/signed-out', 303)
  })

  app.get('/signed-out', async (request, reply) => reply.page(signedOutPage()))

  /** A copied cookie outlives the sign-out; the tokens in it do not. If the provider is unavailable, the user is signed out anyway. */
  async function revoke (request) {
    try {
      await revokeTokensOf(request)
      return true
    } catch (error) {
      request.log.error(error)
      return false
    }
  }
}

module.exports = signOutRoutes
