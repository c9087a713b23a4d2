import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type * as Sealer from '../../lib/sealer'
import type { ServerSettings } from './hostile-settings'
import type { HostileVisitor } from './hostile-visitor'

const NONCE_BYTES = 24
const MAC_BYTES = 16

/** Gives a visitor cookies of older libraries and of earlier names, as far as the server opens such. */
export function bringPast (visitor: HostileVisitor, { package: folder, legacyKey, sessions }: ServerSettings): void {
  const data = { user: visitor.mark }
  const { createSealer } = require(resolve(folder, 'dist/lib/sealer.js')) as typeof Sealer
  for (const { legacy, options: { key } } of sessions) {
    for (const { kind, options: { cookieName } } of legacy) {
      if (kind === 'opener') visitor.bring(cookieName, visitor.mark)
      if (kind === 'secure-session') visitor.bring(cookieName, peerCookie(legacyKey, data))
      if (kind === 'sealed' && key !== undefined) {
        visitor.bring(cookieName, createSealer({ key: key as string, cookieName }).seal(data))
      }
    }
  }
}

/** As `@fastify/secure-session` writes it. */
function peerCookie (key: string, data: Readonly<Record<string, unknown>>): string {
  const sodium = require('sodium-native') as { crypto_secretbox_easy: (...args: Buffer[]) => void }
  const plaintext = Buffer.from(JSON.stringify({ ...data, __ts: Math.floor(Date.now() / 1000) }))
  const nonce = randomBytes(NONCE_BYTES)
  const ciphertext = Buffer.alloc(plaintext.length + MAC_BYTES)
  sodium.crypto_secretbox_easy(ciphertext, plaintext, nonce, Buffer.from(key, 'base64'))
  return encodeURIComponent(`${ciphertext.toString('base64')};${nonce.toString('base64')}`)
}
