import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { RefusedBecause } from '../../types/events'
import { plainEnv } from '../helpers/process'
import { Visitor } from '../neighbours/helpers'
import { parseMetrics, type Family } from './metrics-text'

/** examples/metrics: what its sessions did, compared with what is scraped. */

const SERVER = join(__dirname, 'metrics-server.js')
const MINUTE_MS = 60_000
const PASSWORD = 'a good one'
const REASONS: Record<RefusedBecause, true> = {
  malformed: true,
  'unknown-version': true,
  'unknown-key': true,
  forged: true,
  unsupported: true,
  expired: true,
  'from-the-future': true,
  revoked: true,
  unproven: true,
  ambiguous: true
}

class Site {
  readonly origin: string
  readonly #metrics: string
  readonly #child: ChildProcess

  private constructor (child: ChildProcess, { site, metrics }: { site: string, metrics: string }) {
    this.#child = child
    this.origin = site
    this.#metrics = metrics
  }

  static async start (t: Test): Promise<Site> {
    const child = fork(SERVER, { env: plainEnv(), execArgv: [] })
    const exit = once(child, 'exit')
    t.teardown(async () => {
      if (child.connected) child.disconnect()
      await exit
    })
    const failed = exit.then(([code]) => { throw new Error(`the servers ended with code ${code}`) })
    const [addresses] = await Promise.race([once(child, 'message'), failed])
    failed.catch(() => {})
    return new Site(child, addresses)
  }

  async loggedIn (): Promise<Visitor> {
    const visitor = new Visitor(this.origin)
    await login(visitor, PASSWORD)
    return visitor
  }

  async scrape (): Promise<Map<string, Family>> {
    const response = await fetch(this.#metrics)
    if (response.headers.get('content-type') !== 'text/plain; version=0.0.4; charset=utf-8') throw new Error('this is not the text format')
    return parseMetrics(await response.text())
  }

  /** The samples that are not 0, but for the buckets of the histogram, without what all begin with and the name of the session. */
  async counted (): Promise<Record<string, number>> {
    const samples = [...(await this.scrape()).values()].flatMap(({ samples }) => [...samples])
    const counted = samples.filter(([name, value]) => value !== 0 && !name.includes('_cookie_bytes'))
    return Object.fromEntries(counted.map(([name, value]) => [name.replace(/^sealed_session_/, '').replace(/,?session="session"/, '').replace('{}', ''), value]))
  }

  /** Asks the process something of `commands`, one question at a time. */
  async ask (name: string, ...args: unknown[]): Promise<any> {
    this.#child.send({ name, args })
    const [{ result }] = await once(this.#child, 'message')
    return result
  }
}

async function login (visitor: Visitor, password: string): Promise<Response> {
  return await visitor.send('/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ username: 'ada', password }) })
}

t.test('before the first request all counters exist, at 0', async t => {
  const site = await Site.start(t)
  const families = await site.scrape()
  t.strictSame(Object.fromEntries([...families].map(([name, { type }]) => [name, type])), {
    sealed_session_opened_total: 'counter',
    sealed_session_refused_total: 'counter',
    sealed_session_sealed_total: 'counter',
    sealed_session_renewed_total: 'counter',
    sealed_session_checked_total: 'counter',
    sealed_session_revoked_total: 'counter',
    sealed_session_cookie_bytes: 'histogram'
  })
  t.strictSame([...families.values()].flatMap(({ samples }) => [...samples.values()]).filter(value => value !== 0), [])
  const refused = families.get('sealed_session_refused_total')?.samples ?? new Map()
  t.strictSame([...refused.keys()].sort(), Object.keys(REASONS).map(reason => `sealed_session_refused_total{reason="${reason}",session="session"}`).sort(), 'for each reason there is')
})

t.test('the counters match the requests', async t => {
  const site = await Site.start(t)
  const stranger = new Visitor(site.origin)
  t.equal((await stranger.send('/account')).status, 401)
  t.equal((await login(stranger, 'a bad one')).status, 401)
  t.strictSame(await site.counted(), {}, 'who brings no session counts nowhere')

  const visitor = await site.loggedIn()
  t.equal((await visitor.send('/account')).status, 200)
  t.equal((await visitor.send('/account/note', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"note":"buy ink"}' })).status, 204)
  t.match(await visitor.json('/account'), { note: 'buy ink' })
  t.strictSame(await site.counted(), { 'opened_total{check="none"}': 3, 'sealed_total{kind="new"}': 1, 'sealed_total{kind="changed"}': 1 })

  await site.ask('advance', 10 * MINUTE_MS)
  t.equal((await visitor.send('/account')).status, 200)
  t.match(await site.counted(), { 'opened_total{check="good"}': 1, renewed_total: 1, checked_total: 1 })

  const thief = visitor.thief()
  t.equal((await visitor.send('/session', { method: 'DELETE' })).status, 204)
  for (const copy of [thief.thief(), thief.thief()]) t.equal((await copy.send('/account')).status, 401)
  for (const junk of ['AQEA', 'AgEA']) await fetch(`${site.origin}/account`, { headers: { cookie: `session=${junk}` } })
  const other = await site.loggedIn()
  t.equal((await other.send('/sessions', { method: 'DELETE' })).status, 204)
  t.strictSame(await site.counted(), {
    'opened_total{check="none"}': 5,
    'opened_total{check="good"}': 1,
    'refused_total{reason="malformed"}': 1,
    'refused_total{reason="unknown-version"}': 1,
    'refused_total{reason="revoked"}': 2,
    'sealed_total{kind="new"}': 2,
    'sealed_total{kind="changed"}': 1,
    renewed_total: 1,
    checked_total: 1,
    'revoked_total{by="id"}': 2,
    'revoked_total{by="subject"}': 1
  })
})

t.test('the histogram has each cookie that was written, by its length', async t => {
  const site = await Site.start(t)
  const visitor = await site.loggedIn()
  const lengths = [sealedLength(visitor)]
  await visitor.send('/account/note', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ note: 'x'.repeat(500) }) })
  lengths.push(sealedLength(visitor))
  const { samples } = (await site.scrape()).get('sealed_session_cookie_bytes') as Family
  t.equal(samples.get('sealed_session_cookie_bytes_count{session="session"}'), 2)
  t.equal(samples.get('sealed_session_cookie_bytes_sum{session="session"}'), lengths.reduce((a, b) => a + b))
  const buckets = [...samples].flatMap(([name, value]) => name.includes('_bucket') ? [[/le="([^"]+)"/.exec(name)?.[1] as string, value] as const] : [])
  t.strictSame(buckets.map(([le]) => le), ['256', '512', '1024', '2048', '3072', '3584', '3840', '4096', '+Inf'])
  for (const [le, value] of buckets) t.equal(value, lengths.filter(length => length <= (le === '+Inf' ? Infinity : Number(le))).length, le)
  t.ok((lengths[0] as number) < 256 && (lengths[1] as number) > 512, 'which are in different buckets')
})

t.test('a scrape contains no id, no token and no name of a user', async t => {
  const site = await Site.start(t)
  const visitor = await site.loggedIn()
  await visitor.send('/account')
  await visitor.send('/session', { method: 'DELETE' })
  const labels = [...(await site.scrape()).values()].flatMap(({ samples }) => [...samples.keys()]).flatMap(name => name.match(/\w+="[^"]*"/g) ?? [])
  const names = new Set(labels.map(label => label.split('=')[0]))
  t.strictSame([...names].sort(), ['by', 'check', 'kind', 'le', 'reason', 'session'])
  t.notOk(labels.some(label => label.length > 30 || label.includes('ada')))
})

t.test('observing can be stopped, and then leaves no subscriber', async t => {
  const site = await Site.start(t)
  t.equal((await site.ask('listening')).length, 5)
  await site.ask('stop')
  t.strictSame(await site.ask('listening'), [])
  await site.loggedIn()
  t.strictSame(await site.counted(), {})
})

t.test('the site itself does not serve the metrics', async t => {
  const site = await Site.start(t)
  t.equal((await fetch(`${site.origin}/metrics`)).status, 404)
})

function sealedLength (visitor: Visitor): number {
  return (visitor.cookie()?.slice('session='.length) ?? '').length
}
