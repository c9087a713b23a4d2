import t from 'tap'
import fastify from 'fastify'
import { fakeClock } from '../helpers/clock'
import { ask, counter, headerAfter, NOTHING, OPENED, quietApp, SEALED, type Counts } from './site'

const SEVEN_HOURS_MS = 7 * 3_600_000
const BOTH = ['decrypt', 'decrypt']

const CHANGES: Readonly<Record<string, Counts>> = {
  'change-nested': SEALED,
  'write-one': SEALED,
  'write-new': SEALED,
  'write-object': SEALED,
  unset: SEALED,
  touch: SEALED,
  // To see whether an object was changed in place, the session is written and compared.
  'read-object': { ...OPENED, written: 1 },
  'read-all': { ...OPENED, written: 1 },
  'read-one': OPENED,
  // It has another id.
  regenerate: { ...SEALED, sodium: ['decrypt', 'randombytes_buf', 'randombytes_buf', 'encrypt'] },
  delete: { ...OPENED, setCookies: 1 }
}

t.test('a server without the plugin makes no counted calls, so all counted calls are of the library', async t => {
  const app = fastify()
  app.get('/untouched', async () => 'text')
  t.teardown(() => app.close())
  await app.ready()
  t.strictSame(await counter(t)(app, '/untouched', 'session=x'), NOTHING)
})

t.test('each kind of change makes exactly the necessary calls', async t => {
  const app = await quietApp(t)
  const cookie = await headerAfter(app, '/login')
  const count = counter(t)
  for (const [route, counts] of Object.entries(CHANGES)) t.strictSame(await count(app, `/${route}`, cookie), counts, route)
})

t.test('a stamp is not opened if the session is not, and costs a change only its opening', async t => {
  const clock = fakeClock(t)
  const app = await quietApp(t)
  const young = await headerAfter(app, '/login')
  const count = counter(t)
  clock.advance(SEVEN_HOURS_MS)
  const line = (await ask(app, '/read-one', young)).headers['set-cookie'] as string
  const stamped = `${young}; ${line.slice(0, line.indexOf(';'))}`
  t.strictSame(await count(app, '/untouched', young), NOTHING)
  t.strictSame(await count(app, '/untouched', stamped), NOTHING)
  t.strictSame(await count(app, '/write-one', stamped), { ...SEALED, sodium: [...BOTH, 'randombytes_buf', 'encrypt'] })
  t.strictSame(await count(app, '/delete', stamped), { ...OPENED, sodium: BOTH, setCookies: 2 })
})
