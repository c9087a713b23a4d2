import t from 'tap'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { guard, keyedHash } from '../../lib/core/aead'
import { LABEL } from '../../lib/core/format'
import { fixedTerms, Keyring } from '../../lib/keyring/keyring'
import { keyOf } from '../../lib/keyring/lifecycle'
import { resolveOptions } from '../../lib/options/options'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { freshFolder } from '../helpers/installed'
import { MemoryStore } from '../helpers/keyrings'
import { plainEnv } from '../helpers/process'

const KEY = Buffer.from('0123456789abcdefghijklmnopqrstuv')
const DERIVED = [...['cookie\0session', 'stamp\0session.t', 'signing\0'].map(use => keyedHash(KEY, LABEL + use))]
const SPELLINGS = [KEY, ...DERIVED].flatMap(key => [
  key.toString('latin1'), key.toString('hex'), key.toString('base64'), key.toString('base64url'), [...key].join(','), [...key].join(', '), key.toString('hex').match(/../g)?.join(' ') as string
])

function isShown (text: string): boolean {
  return SPELLINGS.some(spelling => text.includes(spelling.slice(0, 20)))
}

t.test('a keyring shows nothing, however it is looked at', async t => {
  const keyring = new Keyring(fixedTerms([KEY]))
  const looks = [inspect(keyring, { depth: 10, showHidden: true }), JSON.stringify(keyring), String(keyring), Object.keys(keyring).join()]
  t.notOk(looks.some(isShown))
})

t.test('the key that the user gave is copied, and not changed', async t => {
  const key = Buffer.from(KEY)
  const keyring = new Keyring(fixedTerms([key]))
  t.strictSame(key, KEY)
  const before = keyring.signingSecrets(0)
  key.fill(0)
  t.strictSame(keyring.signingSecrets(0), before)
})

t.test('guarded memory cannot be written to', async t => {
  const [guarded, second] = guard([Buffer.from(KEY), Buffer.alloc(32, 9)])
  t.strictSame([guarded, second], [KEY, Buffer.alloc(32, 9)])
  const source = `require(${JSON.stringify(require.resolve('../loader/typescript.js'))})
    const { guard } = require(${JSON.stringify(require.resolve('../../lib/core/aead.ts'))})
    guard([Buffer.alloc(32), Buffer.alloc(32)])[1].fill(1)`
  const { signal } = spawnSync(process.execPath, ['-e', source], { env: plainEnv() })
  t.equal(signal, 'SIGSEGV')
})

t.test('no app, request or reply shows the key', async t => {
  const app = await appWith(t, { key: KEY })
  addRoutes(app)
  const shown: string[] = []
  app.get('/inspect', async (request, reply) => {
    request.session.set('a', { b: 1 })
    for (const thing of [app, request, reply, request.session]) shown.push(inspect(thing, { depth: 9 }))
    shown.push(JSON.stringify(request.session), inspect(request.session, { showProxy: true, depth: 6, showHidden: true }))
    return {}
  })
  await new Browser(app).get('/inspect')
  t.equal(shown.length, 6)
  t.notOk(shown.some(isShown))
  t.notOk(isShown(JSON.stringify(app.lines)))
})

t.test('no keyring shows its keys, in the app, its log or an error', async t => {
  const store = new MemoryStore([keyOf(KEY, 0)])
  const text = store.text as string
  const path = join(freshFolder(t), 'keys.json')
  writeFileSync(path, text, { mode: 0o600 })
  const app = await appWith(t, { keyring: path, rotation: { every: '1s', activateIn: '0.5s' } })
  addRoutes(app)
  await new Browser(app).get('/set/a/b')
  t.notOk(isShown(inspect(app, { depth: 12, showHidden: true })))
  for (let end = 10; end < text.length - 2; end += 7) {
    writeFileSync(path, text.slice(0, end))
    const error = await bareApp(t).register(secureSession, { keyring: path }).ready().then(() => null, error => error)
    t.match(error, { code: 'FST_SESSION_INVALID_KEYRING' })
    t.notOk(isShown(`${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`))
  }
  t.notOk(isShown(JSON.stringify(app.lines)))
})

t.test('no error about options shows a key, in any wrong place', async t => {
  const key = KEY.toString('base64')
  for (const options of [
    { key: key + key }, { key: [key, key.slice(5)] }, { key: { key } }, { secret: KEY, salt: KEY }, { key: KEY, sessionName: [key] },
    { key: KEY, cookieName: key }, { key: KEY, idle: key }, { key: KEY, cookie: key }, { key: KEY, cookie: { path: key } },
    { key: KEY, cookie: { domain: key } }, { key: KEY, serializer: key }, { key: KEY, padTo: key }, { keyring: { key } }, { keyring: key }, { keyring: new URL(`https://${key.slice(0, 20)}/`) }, { key: KEY, rotation: key }, { keyring: 'none', rotation: { every: key } }, key, [key]
  ]) {
    const app = bareApp(t)
    const error: Error = await app.register(secureSession, options as secureSession.Options).ready().then(() => t.fail('it booted'), error => error)
    t.match(error, { code: /^FST_SESSION_/ })
    t.notOk(isShown(`${inspect(error)} ${JSON.stringify(error)}`), error.message)
  }
})

t.test('console.log of a session shows the names of its keys and no values', async t => {
  const app = await appWith(t)
  const shown: string[] = []
  app.get('/', async request => {
    request.session.set('token', 'very-secret')
    shown.push(inspect(request.session))
    return {}
  })
  await app.inject('/')
  t.match(shown[0], /^Session \{ id: '[0-9a-f]{32}', keys: \[ 'token' \] \}$/)
})

t.test('resolved options are frozen', async t => {
  const [resolved] = resolveOptions({ key: KEY }, 0)
  t.ok(Object.isFrozen(resolved?.options))
})
