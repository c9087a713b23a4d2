import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, closeSync, existsSync, linkSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import * as promises from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { changeKeyring } from '../../lib/keyring/stored-keyring'
import { rotated } from '../../lib/keyring/lifecycle'
import { parseKeyring } from '../../lib/keyring/document'
import { fileKeyring } from '../../lib/stores/keyring-file'
import { fakeTime, passUntil } from '../helpers/clock'
import { freshFolder } from '../helpers/installed'
import { keyNumber, MemoryStore } from '../helpers/keyrings'

const RING = new MemoryStore([keyNumber(1, 0)]).text as string
const NEXT = new MemoryStore([keyNumber(1, 0), keyNumber(2, 0)]).text as string

function freshFile (t: Test, text: string | null = RING): string {
  const path = join(freshFolder(t), 'keys.json')
  if (text !== null) writeFileSync(path, text, { mode: 0o600 })
  return path
}

function modeOf (path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

t.test('a missing keyring file reads as null, and an update that expects null creates it', async t => {
  const path = freshFile(t, null)
  const store = fileKeyring(path)
  t.equal(await store.read(), null)
  t.equal(await store.update('something', RING), false)
  t.equal(existsSync(path), false)
  t.equal(await store.update(null, RING), true)
  t.equal(await store.read(), RING)
  t.equal(await store.update(null, NEXT), false)
  t.equal(readFileSync(path, 'utf8'), RING)
})

t.test('an update writes only if the file still has the expected text', async t => {
  const path = freshFile(t)
  const store = fileKeyring(path)
  t.equal(await store.update(NEXT, NEXT), false)
  t.equal(await store.read(), RING)
  t.equal(await store.update(RING, NEXT), true)
  t.equal(await store.read(), NEXT)
})

t.test('the keyring file is readable only by its owner, for every umask, beside an empty lock file', async t => {
  const path = freshFile(t, null)
  const umask = process.umask(0)
  t.teardown(() => { process.umask(umask) })
  await fileKeyring(path).update(null, RING)
  t.equal(modeOf(path), '600')
  t.strictSame(readdirSync(join(path, '..')).sort(), ['keys.json', 'keys.json.lock'])
  t.equal(statSync(`${path}.lock`).size, 0)
})

for (const mode of [0o640, 0o604, 0o660, 0o644, 0o601]) {
  t.test(`a keyring file of mode ${mode.toString(8)} is refused, and the message names two solutions`, async t => {
    const path = freshFile(t)
    chmodSync(path, mode)
    const refusal = { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: new RegExp(`keys\\.json .*mode 0${mode.toString(8)}.*chmod 600.*othersMayRead.*--others-may-read`) }
    await t.rejects(fileKeyring(path).read(), refusal)
    await t.rejects(fileKeyring(path).update(RING, NEXT), refusal)
    t.equal(await fileKeyring(path, { othersMayRead: true }).read(), RING)
  })
}

t.test('an update keeps a mode that was allowed, and a stricter mode', async t => {
  for (const mode of [0o640, 0o400]) {
    const path = freshFile(t)
    chmodSync(path, mode)
    t.equal(await fileKeyring(path, { othersMayRead: true }).update(RING, NEXT), true)
    t.equal(modeOf(path), mode.toString(8))
  }
})

t.test('root may write for another user: the owners of both files stay', { skip: process.getuid?.() !== 0 }, async t => {
  const path = freshFile(t)
  chownSync(path, 1234, 5678)
  t.equal(await fileKeyring(path).update(null, NEXT), false)
  t.match(statSync(`${path}.lock`), { uid: 1234 }, 'also where nothing is written')
  t.equal(await fileKeyring(path).update(RING, NEXT), true)
  t.match(statSync(path), { uid: 1234 })
  t.match(statSync(`${path}.lock`), { uid: 1234 })
  chmodSync(path, 0o640)
  chownSync(path, 0, 5678)
  t.equal(await fileKeyring(path, { othersMayRead: true }).update(NEXT, RING), true)
  t.match(statSync(path), { uid: 0, gid: 5678 }, 'a group that may read stays as well')
})

t.test('on Windows the mode is not checked and the folder is not synced', async t => {
  const path = freshFile(t)
  chmodSync(path, 0o666)
  const platform = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor
  t.teardown(() => { Object.defineProperty(process, 'platform', platform) })
  // The lock library loads by the real platform.
  require('fs-native-extensions')
  Object.defineProperty(process, 'platform', { ...platform, value: 'win32' })
  t.equal(await fileKeyring(path).update(RING, NEXT), true)
  t.equal(await fileKeyring(path).read(), NEXT)
})

t.test('paths and URLs of files are accepted, and other values are refused', async t => {
  const path = freshFile(t)
  for (const form of [path, pathToFileURL(path), pathToFileURL(path).href]) t.equal(await fileKeyring(form).read(), RING)
  for (const form of ['', 'file://elsewhere/keys.json', new URL('https://example.org/keys.json'), 7, null, {}]) {
    t.throws(() => fileKeyring(form as string), { code: 'FST_SESSION_INVALID_OPTION' })
  }
})

t.test('behind a symbolic link the target is replaced, and the link stays', async t => {
  const path = freshFile(t)
  const link = join(path, '../link.json')
  symlinkSync('keys.json', link)
  t.equal(await fileKeyring(link).update(RING, NEXT), true)
  t.ok(lstatSync(link).isSymbolicLink())
  t.equal(readFileSync(path, 'utf8'), NEXT)
  t.notOk(existsSync(`${link}.lock`))
})

t.test('a mounted secret that is replaced by a symbolic link is read again', async t => {
  const folder = freshFolder(t)
  for (const [name, text] of [['one', RING], ['two', NEXT]] as const) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'keys.json'), text, { mode: 0o600 })
  }
  symlinkSync('one', join(folder, '..data'))
  symlinkSync('..data/keys.json', join(folder, 'keys.json'))
  const store = fileKeyring(join(folder, 'keys.json'))
  t.equal(await store.read(), RING)
  symlinkSync('two', join(folder, '..data_tmp'))
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  t.equal(await store.read(), NEXT)
})

t.test('a file that cannot be read or written is an error with its name, and nothing is lost', async t => {
  const folder = freshFolder(t)
  await t.rejects(fileKeyring(folder).update(null, RING), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /cannot be written: it is not a regular file/ })
  t.notOk(existsSync(`${folder}.lock`))
  await t.rejects(fileKeyring(folder).read(), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /^keyring file .* cannot be read: it is not a regular file/ })
  await t.rejects(fileKeyring(join(folder, 'none/keys.json')).update(null, RING), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /cannot be written: ENOENT/ })
  const path = freshFile(t)
  await t.rejects(fileKeyring(join(path, 'keys.json')).read(), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /cannot be read: ENOTDIR/ })
  // A folder in the place of the temporary file: the write fails half-way.
  mkdirSync(`${path}.tmp/full`, { recursive: true })
  await t.rejects(fileKeyring(path).update(RING, NEXT), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /cannot be written/ })
  t.equal(await fileKeyring(path).read(), RING)
})

t.test('a write that fails before the rename keeps the old file and leaves no temporary file', async t => {
  const path = freshFile(t)
  const wholeFile = t.mockRequire('../../lib/stores/whole-file', {
    'node:fs/promises': {
      ...promises,
      open: async (...args: Parameters<typeof promises.open>) => {
        const file = await promises.open(...args)
        if (String(args[0]).endsWith('.tmp')) file.sync = async () => { throw new Error('ENOSPC: no space left on device, fsync') }
        return file
      }
    }
  }) as object
  const { fileKeyring: failing } = t.mockRequire('../../lib/stores/keyring-file', { '../../lib/stores/whole-file': wholeFile }) as { fileKeyring: typeof fileKeyring }
  await t.rejects(failing(path).update(RING, NEXT), { message: /ENOSPC/ })
  t.equal(readFileSync(path, 'utf8'), RING)
  t.notOk(existsSync(`${path}.tmp`))
  t.equal(await fileKeyring(path).update(RING, NEXT), true, 'and the lock is free')
})

t.test('a pipe, a dangling link and a file larger than any keyring are refused at once', async t => {
  const path = freshFile(t, null)
  execFileSync('mkfifo', [path])
  await t.rejects(fileKeyring(path).read(), { message: /it is not a regular file/ })
  const link = join(path, '../link.json')
  symlinkSync('nowhere.json', link)
  await t.rejects(fileKeyring(link).update(null, RING), { message: /cannot be written: ENOENT/ })
  t.ok(lstatSync(link).isSymbolicLink())
  const large = freshFile(t, ' '.repeat(1024 ** 2 + 1))
  await t.rejects(fileKeyring(large).read(), { message: /larger than any keyring, 1048577 bytes/ })
})

t.test('the owner of the folder cannot make the lock open, create or chown a file elsewhere', async t => {
  const precious = freshFile(t)
  chmodSync(precious, 0o600)
  const traps: Array<[string, (lock: string) => void]> = [
    ['a symbolic link', lock => { symlinkSync(precious, lock) }],
    ['a link to nowhere', lock => { symlinkSync(`${precious}.new`, lock) }],
    ['a hard link', lock => { linkSync(precious, lock) }],
    ['a pipe', lock => { execFileSync('mkfifo', [lock]) }],
    ['a folder', lock => { mkdirSync(lock) }]
  ]
  for (const [name, set] of traps) {
    const path = freshFile(t)
    if (process.getuid?.() === 0) chownSync(path, 1234, 1234)
    const before = statSync(precious)
    set(`${path}.lock`)
    await t.rejects(fileKeyring(path).update(RING, NEXT), { code: 'FST_SESSION_KEYRING_UNAVAILABLE' }, name)
    t.match(statSync(precious), { uid: before.uid, mode: before.mode, size: before.size }, name)
    t.notOk(existsSync(`${precious}.new`))
    t.equal(readFileSync(path, 'utf8'), RING)
  }
})

/** The store with another lock library. */
function storeWith (t: Test, locks: object): typeof fileKeyring {
  const fileLock = t.mockRequire('../../lib/stores/file-lock', { 'fs-native-extensions': locks }) as object
  return (t.mockRequire('../../lib/stores/keyring-file', { '../../lib/stores/file-lock': fileLock }) as { fileKeyring: typeof fileKeyring }).fileKeyring
}

t.test('a lock file, or a link, that is replaced during the wait for it does not count', async t => {
  const folder = freshFolder(t)
  for (const name of ['one', 'two']) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'keys.json'), RING, { mode: 0o600 })
  }
  symlinkSync('one', join(folder, 'now'))
  const lock = join(folder, 'one/keys.json.lock')
  const updateWhile = async (waiting: () => void): Promise<boolean> => {
    return await storeWith(t, { tryLock () { waiting(); return true } })(join(folder, 'now/keys.json')).update(RING, NEXT)
  }
  t.equal(await updateWhile(() => { rmSync(lock); writeFileSync(`${lock}.new`, ''); renameSync(`${lock}.new`, lock) }), false)
  t.equal(await updateWhile(() => { rmSync(lock) }), false)
  t.equal(await updateWhile(() => { rmSync(join(folder, 'now')); symlinkSync('two', join(folder, 'now')) }), false)
  t.equal(readFileSync(join(folder, 'one/keys.json'), 'utf8'), RING)
  t.equal(await updateWhile(() => {}), true, 'and the next attempt goes to the right place')
  t.equal(readFileSync(join(folder, 'two/keys.json'), 'utf8'), NEXT)
})

t.test('if the lock library does not load, reading works, and writing says what to install', async t => {
  const path = freshFile(t)
  const store = storeWith(t, new Proxy({}, { get () { throw new Error('Cannot find addon\nRequire stack:') } }))(path)
  t.equal(await store.read(), RING)
  await t.rejects(store.update(RING, NEXT), { message: /cannot be written: Cannot find addon\. Run "npm install fs-native-extensions" on this platform/ })
})

t.test('a temporary file of a killed writer does not block the next write', async t => {
  const path = freshFile(t)
  writeFileSync(`${path}.tmp`, RING.slice(0, 50), { mode: 0o644 })
  writeFileSync(`${path}.lock`, '', { mode: 0o600 })
  t.equal(await fileKeyring(path).update(RING, NEXT), true)
  t.equal(await fileKeyring(path).read(), NEXT)
  t.equal(modeOf(path), '600')
})

t.test('parallel writers each add their key', async t => {
  const path = freshFile(t)
  const plan = { activateInMs: 1000, keepForMs: 1000 }
  const rings = await Promise.all(Array.from({ length: 24 }, async () => await changeKeyring(fileKeyring(path), keys => rotated(keys, Date.now(), plan))))
  const ids = new Set(parseKeyring(readFileSync(path, 'utf8')).map(({ id }) => id))
  t.equal(ids.size, 25)
  for (const ring of rings) for (const { id } of ring ?? []) t.ok(ids.has(id))
})

t.test('under Deno, parallel writers use the locks of Deno, and the native module is not loaded', async t => {
  const path = freshFile(t)
  const { tryLock } = require('fs-native-extensions') as { tryLock (fd: number): boolean }
  const opened: string[] = []
  let closed = 0
  const openLock = (path: string): object => {
    const fd = openSync(path, 'r+')
    opened.push(path)
    return { tryLockSync: () => tryLock(fd), close () { closeSync(fd); closed++ } }
  }
  Object.assign(globalThis, { Deno: { openSync: openLock } })
  t.teardown(() => { Reflect.deleteProperty(globalThis, 'Deno') })
  const store = storeWith(t, new Proxy({}, { get () { throw new Error('it is loaded') } }))(path)
  const plan = { activateInMs: 1000, keepForMs: 1000 }
  await Promise.all(Array.from({ length: 8 }, async () => await changeKeyring(store, keys => rotated(keys, Date.now(), plan))))
  t.equal(parseKeyring(readFileSync(path, 'utf8')).length, 9)
  t.ok(opened.length >= 8)
  t.strictSame([new Set(opened), closed], [new Set([`${path}.lock`]), opened.length])
})

t.test('a lock that is held for too long is an error, and one that is released in time is not', async t => {
  const path = freshFile(t)
  const { tryLock } = require('fs-native-extensions') as { tryLock (fd: number): boolean }
  const hold = (): (() => void) => {
    const fd = openSync(`${path}.lock`, 'a')
    tryLock(fd)
    return () => { closeSync(fd) }
  }
  const time = fakeTime(t)
  const release = hold()
  const patient = fileKeyring(path).update(RING, NEXT)
  for (let passes = 0; passes < 50; passes++) await time.pass(100)
  release()
  t.equal(await passUntil(time, patient), true)
  const releaseLater = hold()
  await t.rejects(passUntil(time, fileKeyring(path).update(NEXT, RING)), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /cannot be written: another process has locked it for more than 10 seconds/ })
  releaseLater()
})
