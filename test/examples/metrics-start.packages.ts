import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { plainEnv } from '../helpers/process'
import { found, started, type Started } from '../helpers/started'
import { Visitor } from '../neighbours/helpers'
import { parseMetrics } from './metrics-text'

/** examples/metrics/start.js, started as a user starts it. */

const START = join(__dirname, '../../examples/metrics/start.js')

async function start (t: Test, env: Record<string, string>): Promise<Started> {
  return await started(t, [START], env)
}

t.test('the metrics example prints addresses and passwords, can be scraped, and ends at SIGTERM', async t => {
  const { printed, stop } = await start(t, { PORT: '0', METRICS_PORT: '0' })
  const visitor = new Visitor(found(/site is at +(\S+)/, printed))
  const metrics = found(/metrics are at +(\S+)/, printed)
  t.match(metrics, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/)
  const body = JSON.stringify({ username: 'grace', password: found(/^ +grace +(\S+)$/m, printed) })
  t.equal((await visitor.send('/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status, 200)
  t.match(await visitor.json('/account'), { user: { name: 'Grace Hopper' } })
  const families = parseMetrics(await (await fetch(metrics)).text())
  t.equal(families.get('sealed_session_sealed_total')?.samples.get('sealed_session_sealed_total{kind="new",session="session"}'), 1)
  t.ok(families.has('process_cpu_seconds_total'), 'beside those of the process')
  t.equal(await stop(), 0)
})

t.test('an invalid port of the metrics example is refused in one line', async t => {
  for (const name of ['PORT', 'METRICS_PORT']) {
    const child = spawn(process.execPath, [START], { env: plainEnv({ [name]: '65536' }), stdio: ['ignore', 'ignore', 'pipe'] })
    let told = ''
    child.stderr.on('data', chunk => { told += chunk })
    const [code] = await once(child, 'close')
    t.equal(code, 1)
    t.equal(told, `The example did not start: ${name} must be a number from 0 to 65535\n`)
  }
})
