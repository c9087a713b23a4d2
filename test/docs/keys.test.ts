import { chmodSync, existsSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import secureSession from '../../index'
import { parseKeyring, writeKeyring } from '../../lib/keyring/document'
import { keyOf } from '../../lib/keyring/lifecycle'
import { DAY_MS, MINUTE_MS } from '../../lib/time'
import { addRoutes, bareApp, KEY, OTHER_KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { freshFolder } from '../helpers/installed'
import { appOf, block, blocks, freshRing, keysIn, linesOf, movedTo, PAGE, RING_PATH, shell } from './keys-page'

t.test('docs/keys.md: in an array the first key seals, and the old key opens', async t => {
  process.env['SESSION_KEY'] = KEY.toString('base64url')
  process.env['SESSION_KEY_BEFORE'] = OTHER_KEY.toString('base64url')
  const before = bareApp(t)
  await before.register(secureSession, { key: OTHER_KEY })
  addRoutes(before)
  const browser = new Browser(before)
  await browser.get('/set/a/1')
  const app = await appOf(t, block(t, 'js', 'SESSION_KEY_BEFORE'))
  const moved = movedTo(app, browser)
  t.strictSame(await moved.json('/get'), { a: '1' })
})

t.test('docs/keys.md: the commands for a file work, and a server follows them', async t => {
  const { folder, sh } = shell(t)
  const path = join(folder, 'keys.json')
  const here = (script: string): string => script.replaceAll(RING_PATH, path)

  sh(here(block(t, 'sh', `init --keyring ${RING_PATH}\n`)))
  t.equal(statSync(path).mode & 0o777, 0o600)
  const [first] = keysIn(path)
  const app = await appOf(t, here(block(t, 'js', `{ keyring: '${RING_PATH}' }`)))
  const browser = new Browser(app)
  await browser.get('/set/a/1')

  sh(here(block(t, 'sh', 'session rotate --keyring')))
  const [, second] = keysIn(path)
  t.equal(keysIn(path).length, 2)
  t.equal((second?.activatesAtMs ?? 0) - (second?.createdAtMs ?? 0), 60 * MINUTE_MS)
  t.equal((keysIn(path)[0]?.expiresAtMs ?? 0) - (second?.activatesAtMs ?? 0), 90 * DAY_MS)

  const list = sh(here(linesOf(PAGE, /^(npx fastify-sealed-session list .*)$/gm)[0] as string))
  for (const { id, material } of keysIn(path)) {
    t.match(list, id)
    t.notMatch(list, material.toString('base64url'))
  }

  const inspect = here(block(t, 'sh', 'inspect --cookie-name'))
  const content = sh(`printf %s "$COOKIE" | ${inspect}`, { COOKIE: `session=${browser.cookies.get('session') as string}` })
  t.match(content, `id ${first?.id as string}, state active`)

  sh(here(block(t, 'sh', `revoke 8c1f02ab --keyring ${RING_PATH}`)).replace('8c1f02ab', first?.id as string))
  t.not(keysIn(path).find(({ id }) => id === first?.id)?.revokedAtMs, null)
  t.equal(keysIn(path).length, 2, 'the pending key took over')
  sh(here(block(t, 'sh', 'for id in')))
  t.strictSame(keysIn(path).map(({ revokedAtMs }) => revokedAtMs !== null), [true, true, false])
  const [cron] = linesOf(PAGE, /^0 4 1 \* \* {2}cd \/srv\/app && (.*)$/gm)
  sh(here(cron as string))
  t.equal(keysIn(path).length, 4)
})

t.test('docs/keys.md: a keyring that begins with the old key opens its sessions', async t => {
  const { folder, sh } = shell(t)
  const path = join(folder, 'keys.json')
  const before = bareApp(t)
  await before.register(secureSession, { key: KEY })
  addRoutes(before)
  const browser = new Browser(before)
  await browser.get('/set/a/1')

  const init = block(t, 'sh', '--key-env').replaceAll(RING_PATH, path)
  sh(init, { SESSION_KEY: KEY.toString('base64url') })
  t.throws(() => sh(init, { SESSION_KEY: KEY.toString('base64url') }), 'a ring that is there is not touched')
  const app = await appOf(t, block(t, 'js', `{ keyring: '${RING_PATH}' }`).replaceAll(RING_PATH, path))
  const moved = movedTo(app, browser)
  t.strictSame(await moved.json('/get'), { a: '1' })
  await moved.get('/set/b/2')
  t.strictSame(await movedTo(before, moved).json('/get'), { a: '1', b: '2' }, 'and the other way round')
})

t.test('docs/keys.md: a server that rotates adds the key one hour before it is due', async t => {
  const path = join(freshFolder(t), 'keys.json')
  writeFileSync(path, writeKeyring(freshRing(Date.now() - 30 * DAY_MS + 59 * MINUTE_MS)), { mode: 0o600 })
  const app = await appOf(t, block(t, 'js', 'activateIn').replaceAll(RING_PATH, path))
  for (let waited = 0; waited < 500 && keysIn(path).length === 1; waited++) await pause(10)
  t.equal(keysIn(path).length, 2)
  for (let waited = 0; waited < 500 && !app.lines.some(({ msg }) => msg === 'a key was added to the keyring'); waited++) await pause(10)
  t.ok(app.lines.some(({ msg }) => msg === 'a key was added to the keyring'))
})

t.test('docs/keys.md: with Kubernetes, a mounted secret is read, and read again when it changes', async t => {
  const folder = freshFolder(t)
  const mounted = join(folder, 'session-keys')
  mkdirSync(mounted)
  let ring = freshRing()
  const swap = (version: string): void => {
    mkdirSync(join(mounted, version))
    writeFileSync(join(mounted, version, 'keys.json'), writeKeyring(ring), { mode: 0o644 })
    chmodSync(join(mounted, version, 'keys.json'), 0o644)
    symlinkSync(version, join(mounted, '..data_tmp'))
    renameSync(join(mounted, '..data_tmp'), join(mounted, '..data'))
  }
  swap('..1')
  symlinkSync('..data/keys.json', join(mounted, 'keys.json'))
  const app = await appOf(t, block(t, 'js', 'othersMayRead').replaceAll('/etc/session-keys', mounted))

  ring = [...ring, keyOf(OTHER_KEY, Date.now() + 1)]
  swap('..2')
  const ahead = bareApp(t)
  await ahead.register(secureSession, { key: OTHER_KEY })
  addRoutes(ahead)
  const browser = new Browser(ahead)
  await browser.get('/set/a/1')
  const moved = movedTo(app, browser)
  t.strictSame(await moved.json('/get'), { a: '1' })
})

t.test('docs/keys.md: the Kubernetes commands copy the keyring from the file to the secret and back', async t => {
  const { folder, sh } = shell(t)
  const secret = join(folder, 'secret')
  sh(block(t, 'sh', 'kubectl create secret generic session-keys --from-file=keys.json\n'))
  const [first] = keysIn(secret)
  t.notOk(existsSync(join(folder, 'keys.json')))

  const job = block(t, 'yaml', 'kind: CronJob')
  const here = (script: string): string => script.replaceAll('/work/', `${folder}/work/`)
  mkdirSync(join(folder, 'work'))
  const [fetch, rotate, write] = linesOf(job, /- \|\n((?: {18}.*\n)+)/g).map(here)
  sh(fetch as string)
  sh(rotate as string)
  t.equal(statSync(join(folder, 'work/keys.json')).mode & 0o777, 0o600)
  sh(write as string)
  t.equal(keysIn(secret).length, 2)
  t.throws(() => sh(write as string), /modified/, 'what was fetched before is not written over what came since')

  sh(block(t, 'sh', 'kubectl rollout').replace('8c1f02ab', first?.id as string))
  t.not(keysIn(secret).find(({ id }) => id === first?.id)?.revokedAtMs, null)
  t.ok(existsSync(join(folder, 'restarted')))
  t.notOk(existsSync(join(folder, 'keys.json')))
})

t.test('docs/keys.md: the example of the format is a keyring', async t => {
  t.equal(parseKeyring(blocks('json')[0] as string).length, 1)
})

t.test('docs/keys.md: every block of code is run by a test, here or in another file of keys', async t => {
  t.equal(blocks('js').length, 9)
  t.equal(blocks('sh').length, 12)
  t.equal(blocks('yaml').length, 4)
  t.equal(blocks('json').length, 1)
})
