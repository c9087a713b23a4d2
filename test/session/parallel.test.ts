import t, { type Test } from 'tap'
import fastify, { type FastifyInstance } from 'fastify'
import secureSession from '../../index'
import { addRoutes, KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'

const HOUR = 3600_000

/** An app whose slow reads answer when told to: after whatever else happened meanwhile. */
function slowApp (t: Test): { app: FastifyInstance, release: () => void } {
  const app = fastify()
  t.teardown(() => app.close())
  app.register(secureSession, { key: KEY, idle: '1h' })
  addRoutes(app)
  let waiting: (() => void)[] = []
  app.get('/slow', async ({ session }) => {
    const data = session.data()
    await new Promise<void>(resolve => { waiting.push(resolve) })
    return data
  })
  return { app, release: () => { for (const resume of waiting) resume(); waiting = [] } }
}

/** Starts slow reads that are sent with the cookies of now; their answers reach the browser when they are released. */
async function startReads (app: FastifyInstance, browser: Browser, count: number): Promise<Promise<unknown>[]> {
  const reads = Array.from({ length: count }, () => browser.get('/slow'))
  await app.inject('/untouched')
  return reads
}

t.test('a slow read with renewal due, answered after a write, does not overwrite the write', async t => {
  const clock = fakeClock(t)
  const { app, release } = slowApp(t)
  let lost = 0
  for (let round = 0; round < 100; round++) {
    const browser = new Browser(app)
    await browser.get('/set/user/ada')
    clock.advance(HOUR / 2)
    const reads = await startReads(app, browser, 3)
    await browser.get(`/set/round/${round}`)
    release()
    await Promise.all(reads)
    const data = await browser.json('/get')
    if (data.round !== String(round)) lost++
  }
  t.equal(lost, 0)
})

t.test('a slow read with renewal due, answered after a logout, does not undo the logout', async t => {
  const clock = fakeClock(t)
  const { app, release } = slowApp(t)
  let undone = 0
  for (let round = 0; round < 100; round++) {
    const browser = new Browser(app)
    await browser.get('/set/user/ada')
    clock.advance(HOUR / 2)
    const reads = await startReads(app, browser, 3)
    await browser.get('/delete')
    release()
    await Promise.all(reads)
    if ((await browser.json('/get')).user !== undefined) undone++
  }
  t.equal(undone, 0)
})

t.test('a slow read that is answered after a new login does not change the login', async t => {
  const clock = fakeClock(t)
  const { app, release } = slowApp(t)
  app.get('/login', async ({ session }) => { session.regenerate(); session.set('user', 'grace'); return {} })
  const browser = new Browser(app)
  await browser.get('/set/user/ada')
  clock.advance(HOUR / 2)
  const reads = await startReads(app, browser, 5)
  await browser.get('/login')
  release()
  await Promise.all(reads)
  t.strictSame(await browser.json('/get'), { user: 'grace' })
  clock.advance(HOUR / 2)
  t.strictSame(await browser.json('/get'), { user: 'grace' }, 'the old session\'s stamp does not matter to the new one')
})

t.test('over real HTTP, parallel reads with renewal due lose no parallel write', async t => {
  const clock = fakeClock(t)
  const { app } = slowApp(t)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const jar = new Browser(app)
  const request = async (path: string): Promise<any> => {
    const response = await fetch(address + path, { headers: { cookie: jar.header } })
    for (const line of response.headers.getSetCookie()) jar.keep(line)
    return await response.json()
  }
  await request('/set/user/ada')
  let lost = 0
  for (let round = 0; round < 50; round++) {
    clock.advance(HOUR / 3)
    const reads = Array.from({ length: 8 }, async () => await request('/get'))
    const write = request(`/set/round/${round}`)
    await Promise.all([...reads, write])
    if ((await request('/get')).round !== String(round)) lost++
  }
  t.equal(lost, 0)
})
