import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { appWith, addRoutes, KEY } from '../helpers/app'
import { keyNumber, MemoryStore } from '../helpers/keyrings'
import { memoryRevocation } from '../../index'
import { byHost, siteWith, subject, type Options } from './site'

const rejects = async (): Promise<never> => { throw new Error('the table is down') }

const REFUSED = { statusCode: 500, code: 'FST_SESSION_INVALID_OPTION' }

t.test('a function that returns a promise is an error of the app, and the promise rejects unseen', async t => {
  const unhandled: unknown[] = []
  const keep = (error: unknown): void => { unhandled.push(error) }
  process.on('unhandledRejection', keep)
  t.teardown(() => process.off('unhandledRejection', keep))
  const all: Options[] = [
    { tenant: rejects as never }, { cookies: [{}], cookie: rejects as never }, { keyring: rejects as never }
  ]
  for (const options of all) {
    const app = await siteWith(t, options)
    const reply = await app.inject({ url: '/get', headers: { host: 'a.example' } })
    t.match(reply.json(), { ...REFUSED, message: /found a promise$/ })
  }
  await setImmediate()
  t.strictSame(unhandled, [])
})

t.test('requests that wait for a keyring at the same time share one read', async t => {
  const store = new MemoryStore([keyNumber(1, Date.now())])
  const app = await siteWith(t, { keyring: () => store })
  const opened: Array<Promise<unknown>> = []
  for (let step = 0; step < 30; step++) {
    opened.push(app.secureSession.forTenant('a'))
    await null
  }
  await Promise.all(opened)
  t.equal(store.reads, 1)
})

t.test('revokeSubject of forTenant leaves out sessions without tenants, and stripCookies removes the cookies of all tenants', async t => {
  const revocation = { store: memoryRevocation() }
  const app = await appWith(t, [
    { sessionName: 'staff', key: KEY, subject, revocation },
    { sessionName: 'session', key: KEY, tenant: byHost, subject, revocation, cookies: [{}, { namePrefix: 'two-' }], cookie: () => ({}) }
  ])
  addRoutes(app)
  const staff = app.secureSession.cookiesFor({ user: 'ada' }, 'staff')['staff']
  const acme = await app.secureSession.forTenant('a')
  await acme.revokeSubject('ada')
  t.not(await app.secureSession.decode(staff, undefined, 'staff'), null)
  t.equal(acme.stripCookies('session=1; two-session=2; other=3', 'session'), 'other=3')
})
