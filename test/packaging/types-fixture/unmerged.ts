import { fastify } from 'fastify'
import { createSealer, type RefusalReason, type Sealer } from 'fastify-sealed-session/sealer'
import { freshTokens, type Tokens } from 'fastify-sealed-session/fresh-tokens'
import secureSession = require('fastify-sealed-session')

const app = fastify()
app.register(secureSession, { key: 'x', idle: '1h', absolute: 3600, renewAfter: 60, padTo: 64, persistent: true, cacheControl: false })

app.get('/', async ({ session }) => {
  session.set('anything', 1)
  session.set('else', { deep: [] })
  const value = session.get('anything')
  const all: Record<string, unknown> = session.data()
  session.regenerate(['anything'])
  session.unset('else')
  // @ts-expect-error property style needs names: merge them into SessionData
  session.anything = 1
  // @ts-expect-error a name of other libraries: delete() ends a session here
  session.destroy()
  return [value, all]
})

interface Mine extends Tokens { scope: string }
app.register(freshTokens<Mine>({ key: 'tokens', refresh: async ({ scope, ...tokens }) => ({ ...tokens, scope: scope.trim() }) }))
app.get('/token', async request => {
  const newest: Mine | null = await request.newestTokens<Mine>()
  const token: string = await request.freshToken({ refused: newest?.accessToken })
  return token
})
// @ts-expect-error what the session gets is not what refresh gives
freshTokens<Mine>({ key: 'tokens', refresh: async () => ({ accessToken: 'a', expiresAt: 0 }) })

const made = app.createSecureSession({ anything: 1 })
made.set('else', 2)
app.secureSession.cookiesFor({ anything: { deep: [] } })

createSealer({ key: process.env['SESSION_KEY'], idle: process.env['IDLE'] })
const sealer: Sealer = createSealer({ key: 'x', cookieName: 'session', now: () => 0 })
const opened = sealer.open(sealer.seal({ user: 'ada' }))
if (opened.ok) {
  const id: string = opened.info.id
  sealer.seal(opened.data, { ...opened.info, id })
} else {
  const reason: RefusalReason = opened.reason
  const known: 'malformed' | 'unknown-version' | 'unknown-key' | 'forged' | 'unsupported' | 'expired' | 'from-the-future' = reason
  // @ts-expect-error there is no data in a refusal
  console.log(opened.data, known)
}
// @ts-expect-error a key is needed
createSealer({})
