import t from 'tap'
import secureSession from '../../index'
import { fakeClock } from '../helpers/clock'
import { accountsSite, reasons, shopSite, User } from './sites'

const MINUTE_MS = 60_000

t.test('a session that was revoked elsewhere is not handed over, also while its site still trusts it', async t => {
  const clock = fakeClock(t)
  const revocation = { store: secureSession.memoryRevocation(), recheck: '5m' }
  const accounts = await accountsSite(t, { query: true }, { revocation })
  const shop = await shopSite(t, { query: true }, { revocation })
  accounts.get('/url', async ({ session }) => ({ url: await session.handOver({ keep: ['user'] }) }))
  const user = new User(accounts, shop)
  await user.logIn()
  clock.advance(10_000)
  const flow = new URL(await user.begin()).search
  t.match((await user.accounts.json(`/url${flow}`)).url, /ticket=/, 'before')
  await shop.secureSession.revokeSubject('ada')
  clock.advance(MINUTE_MS)
  t.equal((await user.accounts.json('/session')).data.user.id, 'ada', 'its own site trusts it for five minutes')
  reasons(accounts)
  t.equal((await user.accounts.get(`/hand-over${flow}`)).statusCode, 403)
  t.equal((await user.accounts.json(`/url${flow}`)).url, null)
  t.strictSame(reasons(accounts), ['revoked', 'revoked', 'no-user'])
})

t.test('while the store of the sender is unavailable, no ticket is made, and the answer is 503', async t => {
  const store = secureSession.memoryRevocation()
  let fails = false
  const failing = {
    raise: store.raise.bind(store),
    async cutOffs (keys: readonly string[]) { if (fails) throw new Error('away'); return await store.cutOffs(keys) }
  }
  for (const [onError, status] of [['refuse', 503], ['allow', 200]] as const) {
    const accounts = await accountsSite(t, {}, { revocation: { store: failing, onError } })
    const shop = await shopSite(t, {}, { revocation: { store } })
    const user = new User(accounts, shop)
    await user.logIn()
    const flow = new URL(await user.begin()).search
    fails = true
    t.equal((await user.accounts.get(`/hand-over${flow}`)).statusCode, status, onError)
    fails = false
  }
})

t.test('where the receiver cannot read what was revoked, the answer is 503, and the ticket is not used up', async t => {
  const clock = fakeClock(t)
  const store = secureSession.memoryRevocation()
  let fails = false
  const failing = {
    raise: store.raise.bind(store),
    async cutOffs (keys: readonly string[]) { if (fails) throw new Error('away'); return await store.cutOffs(keys) }
  }
  const accounts = await accountsSite(t, {}, { revocation: { store } })
  for (const [onError, status] of [['refuse', 503], ['allow', 303]] as const) {
    const shop = await shopSite(t, {}, { revocation: { store: failing, onError } })
    const user = new User(accounts, shop)
    await user.logIn()
    clock.advance(1000)
    const form = await user.form(await user.begin())
    fails = true
    t.equal((await user.post(form)).statusCode, status, onError)
    fails = false
    clock.advance(6000)
    if (status === 503) t.equal((await user.post(form)).statusCode, 303, 'the browser tries again')
  }
})

t.test('values that cannot be written leave the session of the receiver as it was', async t => {
  const clock = fakeClock(t)
  const accounts = await accountsSite(t)
  const shop = await shopSite(t, { accept: ({ user }: any) => ({ user, count: 10n }) })
  const user = new User(accounts, shop)
  await user.logIn()
  clock.advance(MINUTE_MS)
  const form = await user.form(await user.begin())
  const failed = await user.post(form)
  t.match(failed.json(), { statusCode: 500, code: 'FST_SESSION_NOT_SERIALIZABLE' })
  t.strictSame((await user.shop.json('/session')).data, {})
})

t.test('the session that a ticket begins has the time of the login, also where `accept` ends the session before it', async t => {
  for (const endsSession of [false, true]) {
    const clock = fakeClock(t)
    const shop = await shopSite(t, {
      accept: (values, request) => {
        if (endsSession) request.session.delete()
        return values
      }
    })
    const user = new User(await accountsSite(t), shop)
    const { authenticatedAt } = await user.logIn()
    clock.advance(MINUTE_MS)
    await user.handOver()
    t.match(await user.shop.json('/session'), { data: { user: { id: 'ada' } }, info: { authenticatedAt } }, String(endsSession))
  }
})
