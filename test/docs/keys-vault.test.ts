import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type secureSession from '../../index'
import { parseKeyring, writeKeyring } from '../../lib/keyring/document'
import { rotated } from '../../lib/keyring/lifecycle'
import { changeKeyring } from '../../lib/keyring/stored-keyring'
import { Browser } from '../helpers/browser'
import { appOf, block, freshRing, ROTATION, run, shell } from './keys-page'
import { VaultServer } from './vault-server'

t.test('Vault', async t => {
  const vault = await VaultServer.start()
  t.teardown(() => { vault.stop() })
  process.env['VAULT_ADDR'] = vault.address
  process.env['VAULT_TOKEN'] = vault.token
  const snippet = block(t, 'js', 'function vaultKeyring')
  const stray = { register: () => {} }
  const vaultKeyring = run(snippet, { app: stray }, 'vaultKeyring') as (options: object) => secureSession.KeyringStore
  const storeAt = (path: string, options: object = {}): secureSession.KeyringStore => vaultKeyring({ address: vault.address, token: () => vault.token, path, ...options })

  t.test('the Vault store is empty until the first update, and then refuses another first update', async t => {
    const store = storeAt('first')
    t.equal(await store.read(), null)
    t.equal(await store.update(null, 'one'), true)
    t.equal(await store.read(), 'one')
    t.equal(await store.update(null, 'two'), false)
    t.equal(await store.update('other', 'two'), false)
    t.equal(await store.update('one', 'two'), true)
    t.equal(await store.read(), 'two')
  })

  t.test('the Vault store accepts one of two writers that start from one text', async t => {
    const store = storeAt('two-writers')
    await store.update(null, 'one')
    t.strictSame((await Promise.all([store.update('one', 'a'), store.update('one', 'b')])).sort(), [false, true])
    t.equal(vault.versionsOf('two-writers'), 2)
  })

  t.test('the Vault store loses no key of twenty parallel rotations', async t => {
    await storeAt('many').update(null, writeKeyring(freshRing()))
    vault.conflicts = 0
    const stores = Array.from({ length: 20 }, () => storeAt('many'))
    const added = await Promise.all(stores.map(async store => (await changeKeyring(store, keys => rotated(keys, Date.now(), ROTATION)))?.at(-1)?.id))
    const ids = parseKeyring(await storeAt('many').read() as string).map(({ id }) => id)
    t.equal(ids.length, 21)
    t.equal(new Set(added).size, 20)
    t.ok(added.every(id => ids.includes(id as string)))
    t.ok(vault.conflicts > 0, 'they did come between each other')
  })

  t.test('the Vault store writes over a deleted version', async t => {
    const store = storeAt('deleted')
    await store.update(null, 'one')
    vault.softDelete('deleted')
    t.equal(await store.read(), null)
    t.equal(await store.update(null, 'two'), true)
    t.equal(await store.read(), 'two')
  })

  t.test('the Vault store rejects if it is not known whether there is a keyring', async t => {
    await t.rejects(storeAt('first', { token: () => 'another' }).read(), { message: /403 permission denied/ })
    await t.rejects(storeAt('first', { mount: 'elsewhere' }).read(), { message: /404 no handler/ })
    vault.isSealed = true
    t.teardown(() => { vault.isSealed = false })
    await t.rejects(storeAt('first').read(), { message: /503 Vault is sealed/ })
    await t.rejects(storeAt('first').update('two', 'three'), { message: /Vault is sealed/ })
  })

  t.test('the Vault example runs an app with the keyring that the commands of the page wrote', async t => {
    const { folder, sh } = shell(t)
    sh(block(t, 'sh', 'vault kv put'))
    t.notOk(existsSync(join(folder, 'keys.json')))
    await storeAt('app/session-keys').update(null, readFileSync(join(folder, 'secret'), 'utf8'))
    const app = await appOf(t, snippet)
    const browser = new Browser(app)
    await browser.get('/set/a/1')
    t.strictSame(await browser.json('/get'), { a: '1' })
  })
})
