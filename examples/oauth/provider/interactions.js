'use strict'

const { page } = require('./pages')

const HTML = 'text/html; charset=utf-8'
const LOGIN = {
  type: 'object',
  required: ['username', 'password'],
  properties: {
    username: { type: 'string', minLength: 1, maxLength: 64 },
    password: { type: 'string', minLength: 1, maxLength: 128 }
  }
}

/**
 * The provider's own pages: who are you, and do you allow it. The cookie of an interaction is Lax and bound to its path, and
 * the path cannot be guessed, so no other site can send these forms.
 */
async function interactionRoutes (app, { provider, users, throttle }) {
  app.get('/interaction/:uid', async ({ raw }, reply) => {
    const { uid, prompt, params } = await provider.interactionDetails(raw, reply.raw)
    const { clientName } = await provider.Client.find(params.client_id)
    if (prompt.name === 'login') return reply.type(HTML).send(page('signIn', { uid, client: clientName }))
    return reply.type(HTML).send(page('consent', { uid, client: clientName, scopes: params.scope.split(' ') }))
  })

  app.post('/interaction/:uid/login', { schema: { body: LOGIN } }, async ({ raw, body, ip }, reply) => {
    const { uid, params } = await provider.interactionDetails(raw, reply.raw)
    const { clientName } = await provider.Client.find(params.client_id)
    const { username, password } = body
    const again = problem => reply.type(HTML).send(page('signIn', { uid, client: clientName, username, problem }))

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
    return finish(raw, reply, { login: { accountId: user.id } })
  })

  app.post('/interaction/:uid/consent', async ({ raw }, reply) => {
    const details = await provider.interactionDetails(raw, reply.raw)
    if (details.prompt.name !== 'consent') return reply.code(400).type(HTML).send(page('error', { error: 'invalid_request' }))
    return finish(raw, reply, { consent: { grantId: await granted(provider, details) } })
  })

  app.post('/interaction/:uid/cancel', async ({ raw }, reply) => {
    return finish(raw, reply, { error: 'access_denied', error_description: 'cancelled by the user' })
  })

  async function finish (raw, reply, result) {
    return reply.redirect(await provider.interactionResult(raw, reply.raw, result, { mergeWithLastSubmission: false }), 303)
  }
}

/** All that was asked for, and was on the page. */
async function granted ({ Grant }, { grantId, session, params, prompt: { details } }) {
  const grant = await Grant.find(grantId ?? '') ?? new Grant({ accountId: session.accountId, clientId: params.client_id })
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '))
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) grant.addResourceScope(resource, scopes.join(' '))
  return grant.save()
}

module.exports = interactionRoutes
