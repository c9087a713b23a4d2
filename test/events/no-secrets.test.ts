import t from 'tap'
import { memoryRevocation } from '../../lib/stores/revocation-memory'
import { fakeClock } from '../helpers/clock'
import { hearAll, siteWith } from './subscribed'

const MINUTE_MS = 60_000

t.test('no event contains an id, a cookie, a subject or a value', async t => {
  const clock = fakeClock(t)
  const options = { idle: '1h', subject: (session: any) => session.get('user'), revocation: { store: memoryRevocation(), recheck: '1m' } }
  const site = await siteWith(t, options, app => {
    app.get('/revoke-others', async ({ session }) => { await session.revokeOthers(); return {} })
  })
  const secrets = new Set(['augusta@example.com', 'token-of-upstream'])
  const visitor = site.visitor()
  const heard = hearAll(t)
  const visit = async (path: string): Promise<void> => {
    const line = (await visitor.send(path)).headers.getSetCookie()
    for (const value of [...line, visitor.cookie() ?? ''].flatMap(text => text.match(/[\w-]{40,}/g) ?? [])) secrets.add(value)
    const { id } = await (await fetch(`${site.origin}/info`, { headers: { cookie: visitor.cookie() ?? '' } })).json() as { id: string }
    secrets.add(id)
  }

  await visit('/set/user/augusta@example.com')
  await visit('/set/access/token-of-upstream')
  await visit('/get')
  clock.advance(20 * MINUTE_MS)
  await visit('/get')
  await visit('/regenerate?keep=user,access')
  await visit('/revoke-others')
  const thief = visitor.thief()
  await visit('/delete')
  await thief.json('/get')
  await fetch(`${site.origin}/get`, { headers: { cookie: `session=${'A'.repeat(200)}` } })
  await site.app.secureSession.revokeSubject('augusta@example.com')

  t.strictSame([...new Set(heard.map(({ event }) => event))].sort(), ['opened', 'refused', 'renewed', 'revoked', 'sealed'])
  t.ok(secrets.size > 10)
  for (const message of heard) {
    const values = Object.values(message)
    if (values.some(value => value !== null && !['string', 'number', 'boolean'].includes(typeof value))) t.fail(`${message.event} leads elsewhere`)
    const text = JSON.stringify(message)
    for (const secret of secrets) {
      const forms = [secret, ...(/^[0-9a-f]{32}$/.test(secret) ? ['base64url', 'base64'].map(form => Buffer.from(secret, 'hex').toString(form as BufferEncoding).replace(/=+$/, '')) : [])]
      if (forms.some(form => text.includes(form))) t.fail(`${message.event} holds a secret`)
    }
  }
})
