import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { nobleSodium } from '../../lib/core/noble'
import { computesTheKnownAnswer, loadSodium, sodium } from '../../lib/core/sodium'
import { decrypt } from '../../lib/core/aead'
import { plainEnv } from '../helpers/process'

const native = require('sodium-native') as { crypto_secretbox_easy (box: Buffer, message: Buffer, nonce: Buffer, key: Buffer): void }

t.test('the cipher gives the result of its specification', async t => {
  t.ok(computesTheKnownAnswer(sodium))
})

const missing = (): never => { throw new Error('Cannot find module') }

t.test('if neither libsodium nor noble loads, the error names both ways, with the lines of a Dockerfile', async t => {
  const cause = new Error('Cannot find addon\nRequire stack: …')
  t.throws(() => loadSodium(() => { throw cause }, missing), {
    code: 'FST_SESSION_SODIUM_UNAVAILABLE',
    message: /did not load: Cannot find addon \(.*FROM node:22-slim.*npm install sodium-native.*Alpine.*RUN npm install @noble\/ciphers @noble\/hashes/,
    cause
  })
})

t.test('the error of a libsodium that does not load names the platform and the version of Node.js', async t => {
  const { platform, arch, version } = process
  t.throws(() => loadSodium(missing, missing), { message: `(${platform}-${arch}, Node ${version})` })
})

t.test('if libsodium does not load, noble takes its place, and a warning of the process says so', async t => {
  const warned = once(process, 'warning')
  const substitute = loadSodium(missing)
  const [warning] = await warned as [Error & { code: string }]
  t.match(warning, { code: 'FST_SESSION_WITHOUT_SODIUM', message: /Cannot find module.*@noble\/ciphers/ })
  t.ok(computesTheKnownAnswer(substitute))
  const key = Buffer.alloc(32)
  await substitute.crypto_pwhash_async(key, Buffer.from('password'), Buffer.alloc(16, 1), 1, 8192, substitute.crypto_pwhash_ALG_ARGON2ID13)
  t.notSame(key, Buffer.alloc(32))
})

t.test('noble opens what libsodium seals, refuses what was changed, and hashes as libsodium does', async t => {
  const substitute = nobleSodium()
  const [key, nonce, associated, ciphertext, message] = [32, 24, 6, 19, 3].map(bytes => Buffer.alloc(bytes, bytes)) as [Buffer, Buffer, Buffer, Buffer, Buffer]
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(ciphertext, Buffer.from('ada'), associated, null, nonce, key)
  t.equal(substitute.crypto_aead_xchacha20poly1305_ietf_decrypt(message, null, ciphertext, associated, nonce, key), 3)
  t.equal(message.toString(), 'ada')
  t.throws(() => substitute.crypto_aead_xchacha20poly1305_ietf_decrypt(message, null, Buffer.alloc(19), associated, nonce, key))
  substitute.randombytes_buf(nonce)
  t.notSame(nonce, Buffer.alloc(24, 24))
  const memory = substitute.sodium_malloc(32)
  substitute.sodium_mprotect_readonly(memory)
  substitute.sodium_mprotect_readwrite(memory)
  t.strictSame(memory, Buffer.alloc(32), 'memory that is not guarded')
  for (const hashKey of [undefined, key]) {
    const [own, other] = [Buffer.alloc(32), Buffer.alloc(32)]
    substitute.crypto_generichash(own, message, hashKey)
    sodium.crypto_generichash(other, message, hashKey)
    t.strictSame(own, other)
  }
})

t.test('noble opens the boxes of the old library, and refuses changed ones', async t => {
  const substitute = nobleSodium()
  const [key, nonce, box, message] = [Buffer.alloc(32, 7), Buffer.alloc(24, 8), Buffer.alloc(19), Buffer.alloc(3)]
  native.crypto_secretbox_easy(box, Buffer.from('ada'), nonce, key)
  t.ok(substitute.crypto_secretbox_open_easy(message, box, nonce, key))
  t.equal(message.toString(), 'ada')
  t.notOk(substitute.crypto_secretbox_open_easy(message, Buffer.alloc(19), nonce, key))
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
