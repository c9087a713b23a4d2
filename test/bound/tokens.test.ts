import t from 'tap'
import {
  CHALLENGE_CHARACTERS, IDENTIFIER_CHARACTERS, openChallenge, openDeviceKey, openProof, PROOF_CHARACTERS, sealChallenge, sealDeviceKey,
  sealProof
} from '../../lib/bound/tokens'
import type { TokenKeys } from '../../lib/core/token'
import type { KeyUse } from '../../lib/keyring/keyring'
import { OTHER_KEY } from '../helpers/app'
import { keysFor } from '../helpers/ring'

const NOW_MS = Date.UTC(2026, 0, 1)
const MARK = Buffer.from('0f1e2d3c4b5a69788796a5b4c3d2e1f0', 'hex')
const NAME = 'session.d'

interface Kind {
  readonly use: KeyUse
  readonly characters: number
  readonly content: object
  readonly seal: (keys: TokenKeys) => string
  readonly open: (text: string, keys: TokenKeys, nowMs: number) => object | null
}

const proof = { mark: MARK, provenAtMs: NOW_MS }
const device = { mark: MARK, x: Buffer.alloc(32, 1), y: Buffer.alloc(32, 2) }
const challenge = { mark: MARK, askedAtMs: NOW_MS, purpose: 2 } as const

const KINDS: readonly Kind[] = [
  { use: 'proof', characters: 91, content: proof, seal: keys => sealProof(proof, keys, 0), open: openProof },
  { use: 'device', characters: 168, content: device, seal: keys => sealDeviceKey(device, keys, 0), open: openDeviceKey },
  { use: 'challenge', characters: 92, content: challenge, seal: keys => sealChallenge(challenge, keys, 0), open: openChallenge }
]

t.strictSame([PROOF_CHARACTERS, IDENTIFIER_CHARACTERS, CHALLENGE_CHARACTERS], [91, 168, 92])

for (const { use, characters, content, seal, open } of KINDS) {
  const keys = keysFor(NAME, use)

  t.test(`a ${use} has ${characters} characters, and opens to what was sealed`, async t => {
    const token = seal(keys)
    t.match(token, /^[\w-]+$/)
    t.equal(token.length, characters)
    t.strictSame(open(token, keys, 0), content)
    t.not(seal(keys), token, 'each has another nonce')
  })

  t.test(`a ${use} with a flipped bit does not open`, async t => {
    const bytes = Buffer.from(seal(keys), 'base64url')
    const opened: string[] = []
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bent = Buffer.from(bytes)
        bent.writeUInt8(bent.readUInt8(at) ^ (1 << bit), at)
        if (open(bent.toString('base64url'), keys, 0) !== null) opened.push(`${at}.${bit}`)
      }
    }
    t.strictSame(opened, [])
  })

  t.test(`a ${use} of another length or spelling does not open`, async t => {
    const token = seal(keys)
    const opened: string[] = []
    const texts = Array.from(token, (_, length) => [token.slice(0, length), token.slice(length + 1)]).flat()
    for (const tail of ['A', '=', ' ', '"', `.${token}`, token]) texts.push(token + tail, tail + token)
    for (const alien of ['+', '/', '=', ' ', '%', 'é', '😀']) texts.push(alien + token.slice(1), token.slice(0, -1) + alien)
    for (const text of texts) if (open(text, keys, 0) !== null) opened.push(text)
    t.strictSame(opened, [])
  })

  t.test(`a ${use} opens for its use, its cookie name and its key alone`, async t => {
    const others: KeyUse[] = ['cookie', 'stamp', 'proof', 'device', 'challenge']
    for (const other of others.filter(other => other !== use)) t.equal(open(seal(keysFor(NAME, other)), keys, 0), null, other)
    t.equal(open(seal(keysFor('session', use)), keys, 0), null)
    t.equal(open(seal(keysFor(NAME, use, OTHER_KEY)), keys, 0), null)
  })

  t.test(`the kinds of tokens are not read as a ${use}, though the use be the same`, async t => {
    for (const kind of KINDS.filter(kind => kind.use !== use)) t.equal(open(kind.seal(keys), keys, 0), null, kind.use)
  })
}

t.test('a challenge of an unknown purpose does not open', async t => {
  const keys = keysFor(NAME, 'challenge')
  for (const purpose of [0, 3, 255]) {
    t.equal(openChallenge(sealChallenge({ ...challenge, purpose: purpose as never }, keys, 0), keys, 0), null)
  }
})
