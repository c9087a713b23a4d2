import { getIronSession, sealData } from 'iron-session'
import t, { type Test } from 'tap'
import { fakeClock } from '../helpers/clock'
import { Browser } from './migration-browser'
import { ADA, appOf, appWithOld, block, DAY_MS, moves, OLD_SECRET } from './migration-page'

/** The page's opener for iron-session, for cookies that the real library made. */

process.env['IRON_PASSWORD'] = OLD_SECRET

async function oldIron (t: Test, options: object = {}): Promise<Browser> {
  const config = { cookieName: 'my-iron-cookie', password: OLD_SECRET, ...options }
  return await Browser.at(await appWithOld(t, async () => {}, app => {
    app.post('/login', async (request, reply) => {
      const session: any = await getIronSession(request.raw, reply.raw, config)
      session.user = ADA
      await session.save()
      return reply.header('set-cookie', reply.raw.getHeader('set-cookie')).send({})
    })
  }))
}

t.test('docs/migration.md: a session is migrated from its iron-session seal', async t => {
  const ada = await oldIron(t)
  await ada.post('/login')
  t.strictSame(ada.cookies, ['my-iron-cookie /'])
  await moves(t, ada, await appOf(t, block(t, 'js', 'unsealData')))
})

t.test('docs/migration.md: a seal that iron-session does not open is no session', async t => {
  const code = block(t, 'js', 'unsealData')
  const app = await appOf(t, code)
  const good = await sealData({ user: ADA }, { password: OLD_SECRET })
  const seals: Array<[string, object]> = [
    [good, ADA],
    [await sealData({ user: ADA }, { password: 'another secret of more than thirty-two characters' }), {}],
    [await sealData({ user: ADA }, { password: { 2: OLD_SECRET } }), {}],
    [good.slice(0, -4), {}], ['a*b*c*d*e*f*g*h', {}], ['', {}], ['%', {}]
  ]
  for (const [seal, expected] of seals) t.strictSame((await app.inject({ url: '/me', headers: { cookie: `my-iron-cookie=${seal}` } })).json(), expected, seal)

  const numbered = await appOf(t, code.replace('process.env.IRON_PASSWORD', '{ 1: "x".repeat(32), 2: process.env.IRON_PASSWORD }'))
  t.strictSame((await numbered.inject({ url: '/me', headers: { cookie: `my-iron-cookie=${seals[2]?.[0] as string}` } })).json(), ADA)
})

t.test('docs/migration.md: a seal expires by its own time alone', async t => {
  const clock = fakeClock(t, Date.now())
  const ada = await oldIron(t)
  await ada.post('/login')
  clock.advance(13 * DAY_MS)
  const app = await appOf(t, block(t, 'js', 'unsealData'))
  t.strictSame(await (await ada.copy().goTo(app)).get('/me'), ADA, 'longer ago than "idle": the clock starts with the move')
  clock.advance(2 * DAY_MS)
  t.strictSame(await (await ada.copy().goTo(app)).get('/me'), {})
  const longer = await appOf(t, block(t, 'js', 'unsealData').replace('IRON_PASSWORD }', 'IRON_PASSWORD, ttl: 1e7 }'))
  t.strictSame(await (await ada.copy().goTo(longer)).get('/me'), {}, 'a ttl given to unsealData changes nothing')
})
