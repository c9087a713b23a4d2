import cookie = require('@fastify/cookie')
import type { FastifyInstance } from 'fastify'
import { fixedTerms, Keyring } from '../keyring/keyring'
import { KeySeeker } from '../keyring/key-seeker'
import { LiveKeyring } from '../keyring/live-keyring'
import { materialsOf } from '../keyring/fixed-keys'
import type { ResolvedSession } from '../options/options'
import { SECOND_MS, type Clock } from '../time'
import { keyringLog } from './keyring-log'

/** The keys of a session. The seeker reads a keyring store again for unknown keys; null without such a store. */
export interface SessionKeys {
  readonly keyring: Keyring
  readonly seeker: KeySeeker | null
}

/**
 * Null where each tenant has a keyring. Throws FST_SESSION_INVALID_KEY, FST_SESSION_INVALID_KEYRING or
 * FST_SESSION_KEYRING_UNAVAILABLE.
 */
export async function openKeys (
  app: FastifyInstance, { options, keySource }: ResolvedSession, now: Clock
): Promise<SessionKeys | null> {
  if (keySource.kind === 'keyring-by-tenant') return null
  if (keySource.kind !== 'keyring') {
    return { keyring: new Keyring(fixedTerms(await materialsOf(keySource))), seeker: null }
  }
  const { store, reloadEveryMs, rotation } = keySource
  const reporter = keyringLog(app.log, options, store)
  const live = await LiveKeyring.open({ store, reloadEveryMs, rotation, now, reporter })
  app.addHook('onClose', async () => { live.close() })
  return { keyring: live.keyring, seeker: new KeySeeker(live, now) }
}

/** The signer of `@fastify/cookie`, where this plugin registers it: signs with the current keys of the ring. */
export function cookieSigner (keyring: Keyring, now: Clock): Pick<cookie.Signer, 'sign' | 'unsign'> {
  let made: { signer: cookie.Signer, version: number, atMs: number } | null = null
  // Deriving the secrets of 100 keys takes 0.3 ms, so a signer is kept for a second while the ring is the same.
  const current = (): cookie.Signer => {
    const { version } = keyring
    const atMs = Math.floor(now() / SECOND_MS)
    if (made?.version !== version || made.atMs !== atMs) {
      made = { signer: new cookie.Signer(keyring.signingSecrets(now())), version, atMs }
    }
    return made.signer
  }
  return { sign: value => current().sign(value), unsign: value => current().unsign(value) }
}
