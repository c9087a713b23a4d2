'use strict'

/**
 * The servers of examples/oauth in a process of their own, so that the site's clock, and whether the provider answers, can be
 * changed from a test. What a test may ask is in `commands`.
 */

const { startServers } = require('../../examples/oauth/servers')

const TRIES = 3
const options = JSON.parse(process.argv[2])
const logged = []
const exchanges = []
const issued = []
const revoked = []
let aheadMs = 0
const realNow = Date.now
let isAway = false
let gate = null
let accessTokenPadding = ''
let isRefreshTokenLeftOut = false
let provider

async function start (tries = TRIES) {
  try {
    return await startServers({
      ports: { site: 0, provider: 0, api: 0 },
      accessTokenSeconds: 60,
      ...options,
      prepare: watch,
      now: () => Date.now(),
      logger: { level: 'info', stream: { write: line => { logged.push(line) } } }
    })
  } catch (error) {
    // Another process may have taken a port between its choice and its use.
    if (error.code !== 'EADDRINUSE' || tries === 1) throw error
    return start(tries - 1)
  }
}

/** Sees what the provider is asked and answers, and stands in its way when told to. */
function watch (made) {
  provider = made
  provider.use(async (ctx, next) => {
    if (isAway) return ctx.req.socket.destroy()
    if (ctx.path === '/token/revocation') {
      await next()
      revoked.push(ctx.oidc.params.token)
      return
    }
    if (ctx.path !== '/token') return next()
    if (gate !== null) {
      gate.waiting++
      await gate.opened
    }
    await next()
    const { grant_type: type } = ctx.oidc.params
    exchanges.push({ type, error: ctx.body.error ?? null })
    if (ctx.body.error !== undefined) return
    ctx.body.access_token += accessTokenPadding
    issued.push({ ...ctx.body })
    if (isRefreshTokenLeftOut) delete ctx.body.refresh_token
  })
}

// The clock of all of them: by it the site holds access tokens against their end.
Date.now = () => realNow() + aheadMs

const commands = {
  /** Moves the clock. */
  advance: async ms => { aheadMs += ms },
  /** As at the start: for one test after another. */
  reset: async () => {
    aheadMs = 0
    exchanges.length = 0
  },
  away: async is => { isAway = is },
  /** Access tokens as long as those of some providers. No API takes them. */
  pad: async characters => { accessTokenPadding = 'x'.repeat(characters) },
  leaveOutRefreshToken: async is => { isRefreshTokenLeftOut = is },
  exchanges: async () => exchanges,
  issued: async () => issued,
  revoked: async () => revoked,
  logged: async () => logged,
  hold: async () => {
    gate = { waiting: 0 }
    gate.opened = new Promise(resolve => { gate.open = resolve })
  },
  waiting: async () => gate.waiting,
  release: async () => {
    gate.open()
    gate = null
  },
  /** Ends the grant of a refresh token, as an administrator would. */
  endGrant: async refreshToken => {
    const { grantId } = await provider.RefreshToken.find(refreshToken)
    for (const kind of ['RefreshToken', 'AccessToken', 'Grant']) await provider[kind].revokeByGrantId?.(grantId)
    await (await provider.Grant.find(grantId))?.destroy()
  },
  endAccessToken: async accessToken => { await (await provider.AccessToken.find(accessToken)).destroy() },
  isGood: async (kind, token) => (await provider[kind].find(token))?.isValid === true
}

start().then(({ site, issuer, api, people }) => {
  process.send({ id: 0, result: { site, issuer, api, people } })
  process.on('message', async ({ id, name, args }) => {
    process.send({ id, result: await commands[name](...args) ?? null })
  })
  process.once('disconnect', () => process.exit())
})
