import { AsyncLocalStorage } from 'node:async_hooks'
import { spawnSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import t from 'tap'
import type secureSession from '../../index'
import type { OpenedEvent, SessionEvents } from '../../types/events'
import { plainEnv } from '../helpers/process'
import { hear, siteWith } from './subscribed'

const ROOT = join(__dirname, '../..')

t.test('the name of a channel determines the type of its events', async t => {
  const listen = <N extends keyof SessionEvents>(name: N, listener: (message: SessionEvents[N]) => void): void => { hear(t, name, listener) }
  const told: string[] = []
  listen('fastify-sealed-session:opened', ({ session, cookie, id, check }) => { told.push(session, cookie, id, check ?? 'none') })
  listen('fastify-sealed-session:refused', ({ reason }) => {
    const known: 'malformed' | 'unknown-version' | 'unknown-key' | 'forged' | 'unsupported' | 'expired' | 'from-the-future' | 'revoked' | 'unproven' | 'ambiguous' = reason
    told.push(known)
  })
  listen('fastify-sealed-session:sealed', ({ length, isNew }) => { told.push(length.toFixed(0), isNew ? 'new' : 'known') })
  listen('fastify-sealed-session:renewed', ({ isRenewed, isChecked }) => { told.push(String(isRenewed && isChecked)) })
  listen('fastify-sealed-session:revoked', ({ by }) => { told.push(by satisfies 'id' | 'subject' | 'others') })
  // @ts-expect-error no such channel
  listen('fastify-sealed-session:closed', () => {})
  // @ts-expect-error no such field
  listen('fastify-sealed-session:opened', ({ length }) => { told.push(length) })
  const exported: secureSession.SessionEvents['fastify-sealed-session:opened'] | null = null as OpenedEvent | null
  t.equal(exported, null)

  const site = await siteWith(t)
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  await visitor.json('/get')
  t.match(told, [/^\d+$/, 'new', 'session', 'session', /^[\w-]{22}$/, 'none'])
})

t.test('a subscriber runs within the request that publishes the event', async t => {
  const requests = new AsyncLocalStorage<string>()
  const site = await siteWith(t, {}, app => {
    app.addHook('onRequest', (request, _reply, done) => { requests.run(request.url, done) })
    app.get('/whose/:number', async ({ session }) => { session.set('a', 1); return {} })
  })
  const heard: unknown[] = []
  hear(t, 'fastify-sealed-session:sealed', () => { heard.push(requests.getStore()) })
  await Promise.all(['/whose/1', '/whose/2', '/whose/3'].map(async path => { await site.visitor().json(path) }))
  t.strictSame(heard.sort(), ['/whose/1', '/whose/2', '/whose/3'])
})

t.test('an error of a subscriber does not affect the request, and is an uncaught exception of Node.js', async t => {
  const site = await siteWith(t)
  const visitor = site.visitor()
  await visitor.json('/set/user/ada')
  const uncaught: unknown[] = []
  // It is asked in place of tap's own listeners, which would fail this test.
  process.setUncaughtExceptionCaptureCallback(error => { uncaught.push(error) })
  t.teardown(() => { process.setUncaughtExceptionCaptureCallback(null) })
  const failure = new Error('a subscriber that fails')
  const failing = (): void => { throw failure }
  const heard: string[] = []
  subscribe('fastify-sealed-session:opened', failing)
  t.teardown(() => { unsubscribe('fastify-sealed-session:opened', failing) })
  hear(t, 'fastify-sealed-session:opened', ({ session }) => { heard.push(session) })
  t.strictSame(await visitor.json('/get'), { user: 'ada' })
  t.strictSame(uncaught, [failure])
  t.strictSame(heard, ['session'], 'and the others hear of it all the same')
})

t.test('without a handler for uncaught exceptions, an error of a subscriber ends the process', async t => {
  const script = `
    const app = require('fastify')()
    app.register(require('fastify-sealed-session'), { key: Buffer.alloc(32) })
    app.get('/', async ({ session }) => { session.set('a', 1); return {} })
    require('node:diagnostics_channel').subscribe('fastify-sealed-session:sealed', () => { throw new Error('a subscriber that fails') })
    app.inject('/').then(() => setImmediate(() => console.log('still there')))`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { cwd: ROOT, env: plainEnv(), encoding: 'utf8' })
  t.equal(status, 1)
  t.match(stderr, 'Error: a subscriber that fails')
  t.equal(stdout, '')
})
