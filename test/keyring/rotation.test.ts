import t, { type Test } from 'tap'
import { addRoutes, appWith, WARN, type LogLine, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { fakeTime, turns } from '../helpers/clock'
import { keyIdOf, keyNumber, MemoryStore, rotate } from '../helpers/keyrings'

const DAY_MS = 86_400_000
const HOUR_MS = DAY_MS / 24
const MONTHLY = { every: '30d', activateIn: '1h' }

async function fleet (t: Test, store: MemoryStore, size: number, reloadEvery = '1h'): Promise<TestApp[]> {
  const apps = await Promise.all(Array.from({ length: size }, async () => await appWith(t, { keyring: store, rotation: MONTHLY, reloadEvery })))
  for (const app of apps) addRoutes(app)
  return apps
}

function linesOf (apps: readonly TestApp[], text: RegExp): LogLine[] {
  return apps.flatMap(({ lines }) => lines.filter(({ msg }) => text.test(msg)))
}

t.test('of many servers exactly one adds the key, early enough to seal when the next key is due', async t => {
  const time = fakeTime(t)
  const started = time.nowMs
  const store = new MemoryStore([keyNumber(1, started)])
  const apps = await fleet(t, store, 8, '12h')
  await time.pass(30 * DAY_MS - HOUR_MS - 1)
  t.equal(store.keys.length, 1)
  await time.pass(1000)
  t.equal(store.keys.length, 2)
  t.equal(linesOf(apps, /a key was added/).length, 1)
  t.match(store.keys, [{ expiresAtMs: store.keys[1]?.activatesAtMs as number + 90 * DAY_MS }, { activatesAtMs: started + 30 * DAY_MS }])

  await time.pass(HOUR_MS)
  const sealed = await Promise.all(apps.map(async app => {
    const browser = new Browser(app)
    await browser.get('/set/a/b')
    return keyIdOf(browser.cookies.get('session') as string)
  }))
  t.strictSame(new Set(sealed), new Set([store.keys[1]?.id]), 'all of them seal with it by then')
})

t.test('exactly one server adds the key, also if all have read the keyring before one has written it', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  const apps = await fleet(t, store, 8, '12h')
  store.insteadOfReading = async () => {
    const { text } = store
    await turns(100)
    return text
  }
  await time.pass(30 * DAY_MS)
  await turns(2000)
  t.equal(store.keys.length, 2)
  t.equal(linesOf(apps, /a key was added/).length, 1)
  t.ok(store.updates > 1, 'several tried')
})

t.test('in a year, rotation makes a key per month, keeps those of living sessions, and removes the others', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  const apps = await fleet(t, store, 2, '12h')
  for (let day = 0; day < 366; day++) await time.pass(DAY_MS)
  t.equal(linesOf(apps, /a key was added/).length, 12)
  t.equal(store.keys.length, 6)
})

t.test('servers that were stopped for long add one key, not one for each missed rotation', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs)])
  time.advance(200 * DAY_MS)
  const apps = await fleet(t, store, 3)
  await time.pass(10)
  t.equal(store.keys.length, 2)
  t.equal(linesOf(apps, /a key was added/).length, 1)
})

t.test('keys are kept for as long as sessions may live, or for the configured time', async t => {
  for (const [more, days] of [[{ absolute: '200d' }, 200], [{}, 90], [{ rotation: { ...MONTHLY, keepFor: '40d' } }, 40]] as const) {
    const time = fakeTime(t)
    const store = new MemoryStore([keyNumber(1, time.nowMs - 31 * DAY_MS)])
    const app = await appWith(t, { keyring: store, rotation: MONTHLY, ...more })
    await time.pass(10)
    const [first, second] = store.keys
    t.equal((first?.expiresAtMs as number) - (second?.activatesAtMs as number), days * DAY_MS)
    await app.close()
  }
})

t.test('the default of activateIn is an hour, or half of a short `every`', async t => {
  for (const [every, ms] of [['30d', HOUR_MS], ['1h', HOUR_MS / 2]] as const) {
    const time = fakeTime(t)
    const store = new MemoryStore([keyNumber(1, time.nowMs - 31 * DAY_MS)])
    const app = await appWith(t, { keyring: store, rotation: { every } })
    await time.pass(10)
    t.equal((store.keys[1]?.activatesAtMs as number) - (store.keys[1]?.createdAtMs as number), ms)
    await app.close()
  }
})

t.test('a keyring that cannot be written causes one warning, stays in use, and is rotated when it can be', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 31 * DAY_MS)])
  store.insteadOfWriting = async () => { throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' }) }
  const apps = await fleet(t, store, 1)
  await time.pass(10 * HOUR_MS + 100)
  t.match(linesOf(apps, /could not be added/), [{ level: WARN, code: 'FST_SESSION_KEYRING_UNAVAILABLE', msg: /EROFS/ }])
  t.equal(linesOf(apps, /could not be added/).length, 1)
  t.equal(store.updates, 11, 'it is tried at every reload')
  store.insteadOfWriting = null
  await time.pass(HOUR_MS)
  t.equal(store.keys.length, 2)
  store.insteadOfWriting = async () => { throw new Error('again') }
  await time.pass(31 * DAY_MS)
  t.equal(linesOf(apps, /could not be added/).length, 2, 'a new fault is told anew')
})

t.test('a server whose rotation failed once adds the key after the next in time', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 31 * DAY_MS)])
  store.insteadOfWriting = async () => { throw new Error('read-only') }
  await fleet(t, store, 1, '7h')
  await time.pass(10)
  store.insteadOfWriting = null
  // By another server.
  rotate(store, time.nowMs)
  await time.pass(30 * DAY_MS - HOUR_MS - 20)
  t.equal(store.keys.length, 2)
  await time.pass(1000)
  t.equal(store.keys.length, 3)
})

t.test('a store that never answers a write does not stop the reloads', async t => {
  const time = fakeTime(t)
  const store = new MemoryStore([keyNumber(1, time.nowMs - 31 * DAY_MS)])
  store.insteadOfWriting = async () => await new Promise(() => {})
  const apps = await fleet(t, store, 1)
  await time.pass(10)
  const { reads } = store
  await time.pass(5 * HOUR_MS)
  t.ok(store.reads >= reads + 5)
  t.equal(store.updates, 1, 'nor is it tried again while the first is out')
  t.match(linesOf(apps, /could not be added/), [{ level: WARN, code: 'FST_SESSION_KEYRING_UNAVAILABLE', msg: /did not answer for 15 seconds/ }])
})

t.test('a short rotation may cause a warning at boot', async t => {
  const store = new MemoryStore([keyNumber(1, Date.now())])
  const app = await appWith(t, { keyring: store, rotation: { every: '1d', activateIn: '20s', keepFor: '10d' }, reloadEvery: '15s' })
  t.match(linesOf([app], /rotation/), [{ level: WARN, msg: /"rotation.keepFor" is shorter than "absolute"/ }, { level: WARN, msg: /"rotation.activateIn" is shorter than two/ }])
})
