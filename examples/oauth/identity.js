'use strict'

const { checkedClaims } = require('./id-token')
const { problem } = require('./problems')

const PATIENCE_MS = 5000
const LARGEST_ANSWER_BYTES = 64 * 1024
const ASSUMED_LIFE_SECONDS = 300
const SIGN_IN_SECONDS = 600
const SCOPES = ['openid', 'profile', 'offline_access', 'orders']

/**
 * Options for `@fastify/oauth2`. It keeps the state and the PKCE verifier in two cookies, in the clear: both are made for
 * this browser and this sign-in alone. Lax, since the provider's redirect back comes from another site.
 */
function oauth2Options ({ metadata, clientId, clientSecret, publicUrl, cookies, resource }) {
  return {
    name: 'provider',
    credentials: {
      client: { id: clientId, secret: clientSecret },
      // Each path is a whole URL, so the hosts, which are wanted beside them, say nothing.
      auth: {
        authorizeHost: metadata.issuer,
        authorizePath: metadata.authorization_endpoint,
        tokenHost: metadata.issuer,
        tokenPath: metadata.token_endpoint,
        revokePath: metadata.revocation_endpoint
      },
      http: { timeout: PATIENCE_MS, maxBytes: LARGEST_ANSWER_BYTES }
    },
    scope: SCOPES,
    pkce: 'S256',
    callbackUri: `${publicUrl}/login/callback`,
    // OpenID Connect Core 11: a refresh token is given where the user has agreed to it.
    callbackUriParams: { resource, prompt: 'consent' },
    redirectStateCookieName: cookies.state,
    verifierCookieName: cookies.verifier,
    cookie: { ...cookies.attributes, maxAge: SIGN_IN_SECONDS }
  }
}

/**
 * What the site asks the identity provider, through the decorator that `@fastify/oauth2` made. What its client throws holds
 * the whole exchange, the client's secret and tokens included, so none of that goes on: not to the log, not as a cause.
 */
function identityClient ({ provider, metadata, clientId, publicUrl, now }) {
  return {
    /** The user `{ id, name }` and tokens for the code in this callback. Throws a problem. */
    async signedIn (request, reply, nonce) {
      const { token } = await provider.getAccessTokenFromAuthorizationCodeFlow(request, reply).catch(error => {
        throw isInvalidGrant(error) ? problem('sign-in-over') : away('exchange of the code', error)
      })
      const claims = checkedClaims(token.id_token, { issuer: metadata.issuer, clientId, nonce, nowMs: now() })
      return { user: { id: claims.sub, name: claims.name ?? claims.sub }, tokens: tokensIn(token, now()) }
    },

    /** New tokens for a refresh token; null where the provider takes it no more. Throws a problem. */
    async refresh (refreshToken) {
      try {
        const { token } = await provider.getNewAccessTokenUsingRefreshToken({ refresh_token: refreshToken }, {})
        return tokensIn(token, now())
      } catch (error) {
        if (isInvalidGrant(error)) return null
        throw away('refresh', error)
      }
    },

    /** RFC 7009: access tokens of the same grant end with it. Throws a problem. */
    async revoke (refreshToken) {
      // The answer is an empty one, which would fail as JSON.
      await provider.revokeToken({ refresh_token: refreshToken }, 'refresh_token', { json: false }).catch(error => {
        throw away('revocation', error)
      })
    },

    /** Where the browser goes to sign out at the provider. By client_id: an id_token_hint would show the browser a token. */
    endSessionUrl () {
      const url = new URL(metadata.end_session_endpoint)
      url.searchParams.set('client_id', clientId)
      url.searchParams.set('post_logout_redirect_uri', `${publicUrl}/signed-out`)
      return url.href
    }
  }
}

/** What the session keeps of the provider's answer. The ID token has named the user, and is not needed again. */
function tokensIn (token, nowMs) {
  return Object.freeze({
    accessToken: token.access_token,
    refreshToken: token.refresh_token,
    expiresAt: nowMs + (token.expires_in ?? ASSUMED_LIFE_SECONDS) * 1000
  })
}

function isInvalidGrant (error) {
  return error.data?.payload?.error === 'invalid_grant'
}

/** The provider is out of reach or broken, or does not know this client: nothing that ends a user's session. */
function away (what, error) {
  const { res, payload } = error.data ?? {}
  const found = res === undefined ? 'no answer' : `status ${res.statusCode}, ${String(payload?.error ?? 'no error code').slice(0, 64)}`
  return problem('provider-away', `${what} at the provider: ${found}`)
}

module.exports = { oauth2Options, identityClient }
