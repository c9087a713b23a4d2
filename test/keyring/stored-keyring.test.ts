import t from 'tap'
import { KeyringUnavailableError } from '../../lib/errors'
import { writeKeyring, type KeyRecord } from '../../lib/keyring/document'
import { rotated } from '../../lib/keyring/lifecycle'
import { changeKeyring } from '../../lib/keyring/stored-keyring'
import { keyNumber, MemoryStore } from '../helpers/keyrings'

const add = (keys: KeyRecord[]): KeyRecord[] => rotated(keys, 1000, { activateInMs: 10, keepForMs: 10 })

t.test('a change that conflicts with another writer is repeated on the new text', async t => {
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

t.test('a write that succeeded without an answer is not repeated', async t => {
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

t.test('a change that changes nothing is not written', async t => {
  const store = new MemoryStore([keyNumber(1, 0)])
  t.equal(await changeKeyring(store, () => null), null)
  t.equal(store.updates, 0)
})

t.test('a change fails after a number of conflicts', async t => {
  const store = new MemoryStore([keyNumber(1, 0)])
  store.insteadOfWriting = async () => false
  await t.rejects(changeKeyring(store, add), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /changed by another writer at each of 100 attempts/ })
  t.equal(store.updates, 100)
})

t.test('a keyring that would not be readable is not written', async t => {
  const store = new MemoryStore([keyNumber(1, 0)])
  const { text } = store
  await t.rejects(changeKeyring(store, keys => keys.map(key => ({ ...key, expiresAtMs: 8.64e15 }))), { code: 'FST_SESSION_INVALID_KEYRING' })
  t.equal(store.text, text)
})

t.test('a store that throws synchronously, or throws a value that is no error, is a coded error', async t => {
  const throws = (): never => { throw Object.create(null) }
  await t.rejects(changeKeyring({ read: throws, update: throws, name: 'mine' }, add), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: 'mine cannot be read: no reason given' })
})

t.test('the error of a store that has a code already is thrown as it is', async t => {
  const error = new KeyringUnavailableError('the disk is full')
  const store = new MemoryStore([keyNumber(1, 0)])
  store.insteadOfWriting = async () => { throw error }
  t.equal(await changeKeyring(store, add).catch((thrown: unknown) => thrown), error)
})

t.test('a store without a keyring, with an invalid one or with no text is an error', async t => {
  await t.rejects(changeKeyring(new MemoryStore(null), add), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /keyring in memory does not exist.*init/ })
  const store = new MemoryStore([keyNumber(1, 0)])
  store.text = '{'
  await t.rejects(changeKeyring(store, add), { code: 'FST_SESSION_INVALID_KEYRING' })
  await t.rejects(changeKeyring({ read: async () => Buffer.from('{}') as never, update: async () => true }, add), { code: 'FST_SESSION_KEYRING_UNAVAILABLE', message: /the keyring store returned no text/ })
})
