import t from 'tap'
import secureSession from '../../index'
import { appWith, KEY } from '../helpers/app'
import { keyNumber, MemoryStore } from '../helpers/keyrings'

const keyring = new MemoryStore([keyNumber(1, 0)])

const INVALID: [string, object, RegExp][] = [
  ['no keys at all', {}, /exactly one of "key", "secret" and "keyring".*found none/],
  ['a key beside a keyring', { keyring, key: KEY }, /found key and keyring/],
  ['a secret beside a keyring', { keyring, secret: 'x'.repeat(32) }, /found secret and keyring/],
  ['a keyring of the wrong type', { keyring: 7 }, /"keyring" must be the path or URL.*found 7/],
  ['a keyring of null', { keyring: null }, /"keyring".*found null/],
  ['a keyring store without update', { keyring: { read () {} } }, /a store with the methods read and update; found object/],
  ['an https URL of a keyring', { keyring: new URL('https://example.org/keys.json') }, /path or a "file:" URL/],
  ['a key in the place of a path', { keyring: KEY.toString('base64') }, /found what looks like a key/],
  ['a Redis URL as keyring', { keyring: 'redis://user:password@example.org' }, /^(?!.*password).*as redisKeyring\(client\)/],
  ['an empty path of a keyring', { keyring: '' }, /path or a "file:" URL/],
  ['reloadEvery without a keyring', { key: KEY, reloadEvery: '1m' }, /"reloadEvery" needs a "keyring"/],
  ['rotation without a keyring', { key: KEY, rotation: { every: '30d' } }, /"rotation" needs a "keyring"/],
  ['reloadEvery of zero', { keyring, reloadEvery: 0 }, /"reloadEvery" must be seconds above 0/],
  ['a rotation that is not an object', { keyring, rotation: '30d' }, /"rotation" must be an object such as \{ every: '30d' \}/],
  ['rotation without every', { keyring, rotation: {} }, /"rotation.every" must be given/],
  ['an unknown option of rotation', { keyring, rotation: { every: '30d', keep: 1 } }, /"rotation": "keep" is unknown; known are every, activateIn, keepFor/],
  ['a rotation.every that is not a duration', { keyring, rotation: { every: 'often' } }, /"rotation.every" must be seconds/],
  ['a rotation that activates later than the next is due', { keyring, rotation: { every: '1h', activateIn: '1h' } }, /"rotation.activateIn" must be shorter than "rotation.every"/],
  ['a rotation.keepFor of 0', { keyring, rotation: { every: '1h', keepFor: 0 } }, /"rotation.keepFor"/]
]

for (const [name, options, message] of INVALID) {
  t.test(`${name} is refused at boot`, async t => {
    await t.rejects(appWith(t, options as secureSession.Options), { code: 'FST_SESSION_INVALID_OPTION', message })
  })
}

t.test('a keyring store is accepted if it has the methods, independent of its class', async t => {
  await appWith(t, { keyring: { read: async () => keyring.text, update: async () => false } })
})
