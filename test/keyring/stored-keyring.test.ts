import t from 'tap'
import { writeKeyring, type KeyRecord } from '../../lib/keyring/document'
import { rotated } from '../../lib/keyring/lifecycle'
import { changeKeyring } from '../../lib/keyring/stored-keyring'
import { keyNumber, MemoryStore } from '../helpers/keyrings'

const add = (keys: KeyRecord[]): KeyRecord[] => rotated(keys, 1000, { activateInMs: 10, keepForMs: 10 })

t.test('a change that others came before is made again on what they wrote', async t => {
  const store = new MemoryStore([keyNumber(1, 0)])
  const theirs = add(store.keys)
  store.insteadOfWriting = async () => {
    store.insteadOfWriting = null
    store.keys = theirs
    return false
  }
  const mine = await changeKeyring(store, add)
  t.equal(mine?.length, 3)
  t.strictSame(store.keys, mine)
})

t.test('a write that went through though its answer was lost is not made twice', async t => {
  const store = new MemoryStore([keyNumber(1, 0)])
  const { update } = store
  let answers = 0
  store.insteadOfWriting = null
  store.update = async (expected, next) => {
    await update.call(store, expected, next)
    return answers++ > 0
  }
  const written = await changeKeyring(store, add)
  t.equal(written?.length, 2)
  t.equal(store.text, writeKeyring(written as KeyRecord[]))
  t.equal(store.updates, 1)
})

t.test('where there is nothing to change nothing is written', async t => {
  const store = new MemoryStore([keyNumber(1, 0)])
  t.equal(await changeKeyring(store, () => null), null)
  t.equal(store.updates, 0)
})

t.test('it gives up on a store that never lets it through', async t => {
  const store = new MemoryStore([keyNumber(1, 0)])
  store.insteadOfWriting = async () => false
  await t.rejects(changeKeyring(store, add), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /changed by another writer at each of 100 attempts/ })
})

t.test('a ring that could not be read again is not written', async t => {
  const store = new MemoryStore([keyNumber(1, 0)])
  const { text } = store
  await t.rejects(changeKeyring(store, keys => keys.map(key => ({ ...key, expiresAtMs: 8.64e15 }))), { code: 'FST_SESSION_INVALID_KEYRING' })
  t.equal(store.text, text)
})

t.test('a store that throws at once, and no error at that, is an error of ours', async t => {
  const throws = (): never => { throw Object.create(null) }
  await t.rejects(changeKeyring({ read: throws, update: throws, name: 'mine' }, add), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: 'mine cannot be read: no reason given' })
})

t.test('a store without a ring, with a broken one or with no text is an error', async t => {
  await t.rejects(changeKeyring(new MemoryStore(null), add), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /keyring in memory does not exist.*init/ })
  const store = new MemoryStore([keyNumber(1, 0)])
  store.text = '{'
  await t.rejects(changeKeyring(store, add), { code: 'FST_SESSION_INVALID_KEYRING' })
  await t.rejects(changeKeyring({ read: async () => Buffer.from('{}') as never, update: async () => true }, add), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /the keyring store returned no text/ })
})
