import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { plainEnv } from '../helpers/process'
import { found, started, type Started } from '../helpers/started'
import { Visitor } from './oauth2-visitor'

/** examples/oauth/start.js, started as a user starts it. */

const START = join(__dirname, '../../examples/oauth/start.js')
const ANY_PORT = { PORT: '0', PROVIDER_PORT: '0', API_PORT: '0' }

async function start (t: Test, env: Record<string, string>): Promise<Started> {
  return await started(t, [START], env, 'ignore')
}

function visitorOf ({ printed }: Started): Visitor {
  const site = found(/site is at +(\S+)/, printed)
  const person = (id: string) => ({ id, password: found(new RegExp(`^ +${id} +(\\S+)$`, 'm'), printed) })
  return new Visitor({ site, publicUrl: site, person })
}

t.test('the OAuth example prints addresses and passwords, allows sign-in, and ends at SIGTERM', async t => {
  const keyFolder = join(t.testdir({}), 'made', 'at', 'start')
  const started = await start(t, { ...ANY_PORT, OAUTH_KEY_DIR: keyFolder })
  const { status, text } = await visitorOf(started).signIn('grace', '/orders')
  t.equal(status, 200)
  t.match(text, 'G-1947')
  t.match(started.printed, /provider is at +http:\/\/localhost:\d+\n/)
  if (process.platform !== 'win32') t.equal((await stat(join(keyFolder, 'session.key'))).mode & 0o777, 0o600)
  t.equal(await started.stop(), 0)
})

t.test('a session survives a restart, but the provider has lost its grant, so the user signs in again', async t => {
  const env = { ...ANY_PORT, OAUTH_KEY_DIR: t.testdir({}) }
  const first = await start(t, env)
  const visitor = visitorOf(first)
  await visitor.signIn('ada')
  await first.stop()

  const second = await start(t, env)
  const again = visitorOf(second)
  again.plant('session', visitor.session)
  t.match((await again.go('/')).text, 'Ada Lovelace')
  const { status, text } = await again.go('/orders')
  t.equal(status, 401)
  t.match(text, 'Your sign-in has ended')
  t.match((await again.signIn('ada', '/orders')).text, 'A-1843')
})

t.test('if its port is in use, the OAuth example takes a free one and says so', async t => {
  const env = { ...ANY_PORT, OAUTH_KEY_DIR: t.testdir({}) }
  const { printed } = await start(t, env)
  const taken = found(/site is at +http:\/\/127\.0\.0\.1:(\d+)/, printed)
  const other = await start(t, { ...env, PORT: taken })
  t.match(other.printed, `Port ${taken} is taken`)
  t.equal((await visitorOf(other).go('/')).status, 200)
})

t.test('invalid settings of the OAuth example are refused in one line', async t => {
  for (const env of [{ PORT: 'x' }, { API_PORT: '65536' }, { ACCESS_TOKEN_SECONDS: '1' }, { ACCESS_TOKEN_SECONDS: '60s' }] as Array<Record<string, string>>) {
    const child = spawn(process.execPath, [START], { env: plainEnv(env), stdio: ['ignore', 'ignore', 'pipe'] })
    let told = ''
    child.stderr.on('data', chunk => { told += chunk })
    const [code] = await once(child, 'close')
    t.equal(code, 1)
    t.match(told, new RegExp(`^The example did not start: ${Object.keys(env)[0]} must be a number from \\d+ to \\d+\\n$`))
  }
})
