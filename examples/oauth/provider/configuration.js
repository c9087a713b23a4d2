'use strict'

const { generateKeyPairSync, randomBytes, randomUUID } = require('node:crypto')
const { sendPage, sendError } = require('./pages')

const MINUTE_SECONDS = 60
const WORKDAY_SECONDS = 8 * 60 * MINUTE_SECONDS

/**
 * Options for oidc-provider. All that it keeps is in memory, and its keys are made at each start.
 * @param site the client `{ clientId, clientSecret, address }` that users sign in to
 * @param api the resource server `{ clientId, clientSecret, address }` that asks about tokens
 * @param users as the demo's `makeUsers` makes them
 */
function configuration ({ site, api, users, accessTokenSeconds, headers }) {
  return {
    clients: [siteClient(site), apiClient(api)],
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    scopes: ['openid', 'offline_access'],
    claims: { openid: ['sub'], profile: ['name'] },
    // The name is in the ID token, so the site needs no call to userinfo.
    conformIdTokenClaims: false,
    findAccount: (ctx, id) => accountOf(users, id),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (ctx, client, { scopes }) => client.grantTypeAllowed('refresh_token') && scopes.has('offline_access'),
    ttl: {
      AccessToken: accessTokenSeconds,
      AuthorizationCode: MINUTE_SECONDS,
      IdToken: 10 * MINUTE_SECONDS,
      Interaction: 10 * MINUTE_SECONDS,
      Grant: WORKDAY_SECONDS,
      RefreshToken: WORKDAY_SECONDS,
      Session: WORKDAY_SECONDS
    },
    interactions: { url: (ctx, { uid }) => `/interaction/${uid}` },
    renderError: (ctx, { error }) => sendError(ctx, headers, error),
    clientBasedCORS: () => false,
    features: features(api, accessTokenSeconds, headers)
  }
}

function features (api, accessTokenSeconds, headers) {
  return {
    devInteractions: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    userinfo: { enabled: false },
    revocation: { enabled: true, allowedPolicy: (ctx, client, token) => token.clientId === client.clientId },
    introspection: {
      enabled: true,
      allowedPolicy: (ctx, client, token) => client.clientId === api.clientId && token.kind === 'AccessToken' && token.aud === api.address
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => api.address,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'orders', audience: api.address, accessTokenTTL: accessTokenSeconds, accessTokenFormat: 'opaque' })
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => sendPage(ctx, headers, 'signOut', { form }),
      postLogoutSuccessSource: ctx => sendPage(ctx, headers, 'signedOut', {})
    }
  }
}

function siteClient ({ clientId, clientSecret, address }) {
  return {
    client_id: clientId,
    client_secret: clientSecret,
    client_name: 'Wax & Seal',
    redirect_uris: [`${address}/login/callback`],
    post_logout_redirect_uris: [`${address}/signed-out`],
    grant_types: ['authorization_code', 'refresh_token'],
    id_token_signed_response_alg: 'ES256'
  }
}

function apiClient ({ clientId, clientSecret }) {
  return { client_id: clientId, client_secret: clientSecret, redirect_uris: [], response_types: [], grant_types: [], id_token_signed_response_alg: 'ES256' }
}

function signingKey () {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: randomUUID() }
}

function accountOf (users, id) {
  const user = users.find(id)
  return user === undefined ? undefined : { accountId: id, claims: () => ({ sub: id, name: user.name }) }
}

module.exports = { configuration }
