'use strict'

const { isSameSecret } = require('../demo/same-secret')
const { problem } = require('./problems')

const CLOCKS_DIFFER_MS = 60_000

/**
 * The claims of an ID token that came from the token endpoint itself. Throws a problem.
 *
 * OpenID Connect Core 3.1.3.7. Its signature is not checked, by rule 6 there: the token came
 * directly from the token endpoint, over TLS (`discover` checks that). An ID token that came another way, such as by the browser, would need the check.
 */
function checkedClaims (idToken, { issuer, clientId, nonce, nowMs }) {
  const claims = claimsIn(idToken)
  const audiences = [claims.aud].flat()
  const wrong =
    (claims.iss !== issuer && 'iss') ||
    (!audiences.includes(clientId) && 'aud') ||
    ((audiences.length > 1 || claims.azp !== undefined) && claims.azp !== clientId && 'azp') ||
    (!(claims.exp * 1000 > nowMs - CLOCKS_DIFFER_MS) && 'exp') ||
    (!(claims.iat * 1000 < nowMs + CLOCKS_DIFFER_MS) && 'iat') ||
    (!isSameSecret(claims.nonce, nonce) && 'nonce') ||
    ((typeof claims.sub !== 'string' || claims.sub === '') && 'sub')
  if (wrong) throw problem('provider-wrong', `the ID token has not the ${wrong} it should have`)
  return claims
}

function claimsIn (idToken) {
  try {
    return JSON.parse(Buffer.from(idToken.split('.')[1], 'base64url'))
  } catch {
    throw problem('provider-wrong', 'the provider sent no ID token that can be read')
  }
}

module.exports = { checkedClaims }
