import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { boundBrowser, MINUTE_MS, shopOf } from '../bound/site'
import type { TestApp } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { guarded, visitor } from './site'

/** A guard that redirects has answered. A reply also resolves when the client disconnects while onSend hooks run. */

/** Lets all go on that waits for nothing else. */
async function turns (count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await setImmediate()
}

type Disconnect = (request: string, cookie?: string) => Promise<number>

/** Sends a request, and disconnects while an onSend hook of the app waits for that. Gives the status of the reply. */
function disconnecting (app: TestApp): Disconnect {
  let status = 0
  let reached = (): void => {}
  app.addHook('onSend', async ({ headers }, reply, payload) => {
    if (headers['x-disconnects'] === undefined) return payload
    status = reply.statusCode
    const closed = once(reply.raw, 'close')
    reached()
    await closed
    await turns(20)
    return payload
  })
  app.get('/again', async () => ({}))
  return async (request, cookie = '') => {
    const waiting = new Promise<void>(resolve => { reached = resolve })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    const headers = { host: 'shop.test', 'sec-fetch-mode': 'navigate', 'x-forwarded-proto': 'https', 'x-disconnects': 'yes', cookie, 'content-length': 0 }
    socket.write(`${request} HTTP/1.1\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
    await waiting
    socket.destroy()
    await fetch(`http://127.0.0.1:${port}/again`)
    await turns(40)
    return status
  }
}

t.test('the handler does not run for a request without a user whose client disconnects during the redirect', async t => {
  for (const hook of ['onRequest', 'preHandler']) {
    const app = await guarded(t)
    const disconnect = disconnecting(app)
    let ran = false
    app.post('/delete', { [hook]: app.requireSession({ redirectTo: '/login' }) }, async () => { ran = true })
    t.equal(await disconnect('POST /delete'), 303, hook)
    t.notOk(ran, hook)
  }
})

t.test('the handler does not run for a login that is too old', async t => {
  const clock = fakeClock(t)
  const app = await guarded(t)
  const disconnect = disconnecting(app)
  let ran = false
  app.get('/transfer', { preHandler: app.requireSession({ freshWithin: '5m', redirectTo: '/login' }) }, async () => { ran = true })
  const { header } = await visitor(app, 'ada')
  clock.advance(5 * MINUTE_MS)
  t.equal(await disconnect('GET /transfer', header), 303)
  t.notOk(ran)
})

t.test('the handler does not run for a proof that is too old', async t => {
  const clock = fakeClock(t)
  const app = await shopOf(t, {})
  const disconnect = disconnecting(app)
  let ran = false
  app.get('/pay', { onRequest: app.requireSession({ provenWithin: '2m' }) }, async () => { ran = true })
  const { header } = await boundBrowser(app)
  clock.advance(9 * MINUTE_MS)
  t.equal(await disconnect('GET /pay', header), 307)
  t.notOk(ran)
})
