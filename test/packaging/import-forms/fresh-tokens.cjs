'use strict'

const fastify = require('fastify')
const secureSession = require('fastify-sealed-session')
const { freshTokens } = require('fastify-sealed-session/fresh-tokens')

async function run () {
  const app = fastify()
  const tokens = { accessToken: 'new', refreshToken: 'r', expiresAt: Date.now() + 1e6 }
  app.register(freshTokens({ key: 'tokens', refresh: async () => tokens }))
  app.register(secureSession, { key: Buffer.alloc(32, 1) })
  app.get('/', async request => {
    request.session.set('tokens', { ...tokens, accessToken: 'old', expiresAt: Date.now() })
    return { token: await request.freshToken() }
  })
  const response = await app.inject('/')
  if (response.json().token !== 'new') throw new Error(`found ${response.body}`)
  await app.close()
  console.log('ok')
}

run()
