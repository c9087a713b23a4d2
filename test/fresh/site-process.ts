import fastify from 'fastify'
import { Redis } from 'ioredis'
import secureSession from '../../index'
import { freshTokens, type Tokens } from '../../lib/fresh-tokens'

/** A server of a fleet, in a process of its own: it answers with an access token of the session that is good. */

interface Config {
  readonly key: string
  readonly redisUrl: string
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
}

const { key, redisUrl, tokenUrl, clientId, clientSecret } = JSON.parse(process.argv[2] as string) as Config

async function refresh ({ refreshToken = '' }: Tokens, _request: unknown, signal: AbortSignal): Promise<Tokens | null> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
  const response = await fetch(tokenUrl, { method: 'POST', body, headers: { authorization }, signal })
  const answer = await response.json() as Record<string, any>
  if (answer['error'] === 'invalid_grant') return null
  if (!response.ok) throw new Error(`the provider answered ${response.status}`)
  return { accessToken: answer['access_token'], refreshToken: answer['refresh_token'], expiresAt: Date.now() + answer['expires_in'] * 1000 }
}

async function start (): Promise<void> {
  const app = fastify()
  app.register(freshTokens({ key: 'tokens', refresh, before: '10s', timeout: '2s', lock: new Redis(redisUrl) }))
  app.register(secureSession, { key })
  app.get('/token', async request => ({ token: await request.freshToken() }))
  process.send?.(await app.listen({ port: 0, host: '127.0.0.1' }))
  process.once('disconnect', () => process.exit())
}

start().catch(error => { throw error })
