'use strict'

const { createHash } = require('node:crypto')
const { accountPage } = require('../pages/account')

async function accountRoutes (app, { now }) {
  app.get('/account', { onRequest: app.requireUser }, async ({ session }, reply) => {
    const { accessToken, expiresAt } = session.get('tokens')
    const secondsLeft = Math.max(0, Math.round((expiresAt - now()) / 1000))
    return reply.page(accountPage({ user: session.get('user'), fingerprint: fingerprintOf(accessToken), secondsLeft }))
  })
}

/** It tells two tokens apart, and nothing of what they are. */
function fingerprintOf (token) {
  return createHash('sha256').update(token).digest('hex').slice(0, 8)
}

module.exports = accountRoutes
