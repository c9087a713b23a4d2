import { fixedTerms, Keyring, type KeyUse } from '../../lib/keyring/keyring'
import type { TokenKeys } from '../../lib/core/token'
import { KEY } from './app'

export function keysFor (cookieName = 'session', use: KeyUse = 'cookie', ...materials: Buffer[]): TokenKeys {
  return new Keyring(fixedTerms(materials.length === 0 ? [KEY] : materials)).tokenKeys(use, cookieName)
}
