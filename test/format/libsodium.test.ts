import { spawnSync } from 'node:child_process'
import t from 'tap'
import { computesTheKnownAnswer, loadSodium, sodium } from '../../lib/core/sodium'
import { decrypt } from '../../lib/core/aead'
import { plainEnv } from '../helpers/process'

t.test('the cipher gives the result of its specification', async t => {
  t.ok(computesTheKnownAnswer(sodium))
})

t.test('if libsodium does not load, the error says what to install', async t => {
  const cause = new Error('Cannot find addon\nRequire stack: …')
  t.throws(() => loadSodium(() => { throw cause }), {
    code: 'FST_SESSION_SODIUM_UNAVAILABLE',
    message: /did not load: Cannot find addon \(.*npm install sodium-native/,
    cause
  })
})

t.test('the error of a libsodium that does not load names the platform and the version of Node.js', async t => {
  const { platform, arch, version } = process
  t.throws(() => loadSodium(() => { throw new Error('no') }), { message: `(${platform}-${arch}, Node ${version})` })
})

t.test('a libsodium with wrong results is refused', async t => {
  const broken = { ...sodium, crypto_aead_xchacha20poly1305_ietf_encrypt: () => 0 }
  t.throws(() => loadSodium(() => broken), { code: 'FST_SESSION_SODIUM_UNAVAILABLE', message: /wrong result/ })
})

t.test('sodium-native throws for a bad tag, and the cipher returns false', async t => {
  const of = (bytes: number): Buffer => Buffer.alloc(bytes)
  t.throws(() => sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(of(4), null, of(20), of(6), of(24), of(32)))
  t.equal(decrypt(of(4), of(20), of(6), of(24), of(32)), false)
})

t.test('a forged token costs no stack trace, and the errors of the app keep theirs', async t => {
  const { crypto_aead_xchacha20poly1305_ietf_decrypt: real } = sodium
  t.teardown(() => { sodium.crypto_aead_xchacha20poly1305_ietf_decrypt = real })
  const limits: number[] = []
  sodium.crypto_aead_xchacha20poly1305_ietf_decrypt = (...args) => {
    limits.push(Error.stackTraceLimit)
    return real(...args)
  }
  const { stackTraceLimit } = Error
  t.equal(decrypt(Buffer.alloc(4), Buffer.alloc(20), Buffer.alloc(6), Buffer.alloc(24), Buffer.alloc(32)), false)
  t.strictSame([limits, Error.stackTraceLimit], [[0], stackTraceLimit])
})

t.test('forged tokens are refused also if intrinsics are frozen', async t => {
  const source = `
    const { createSealer } = require(${JSON.stringify(require.resolve('../../dist/lib/sealer.js'))})
    const sealer = createSealer({ key: Buffer.alloc(32) })
    const token = sealer.seal({})
    require('node:fs').writeSync(1, [sealer.open(token).ok, sealer.open(token.slice(0, -4) + 'AAAA').reason].join())`
  const { stdout } = spawnSync(process.execPath, ['--frozen-intrinsics', '-e', source], { env: plainEnv(), encoding: 'utf8' })
  t.equal(stdout, 'true,forged')
})
