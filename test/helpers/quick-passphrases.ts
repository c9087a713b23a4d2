const sodium = require('sodium-native') as Record<string, number>

/**
 * Stretching a passphrase takes no time from here on, in this package as in `@fastify/secure-session`: with libsodium's smallest limits in the
 * place of the moderate ones, which are 256 MiB and half a second. Gives what undoes it. keys/passphrase.test.ts shows that the moderate are used.
 */
export function quickPassphrases (): () => void {
  const moderate = pick('MODERATE')
  Object.assign(sodium, pick('MIN', 'MODERATE'))
  return () => { Object.assign(sodium, moderate) }
}

function pick (from: string, to = from): Record<string, number> {
  return Object.fromEntries(['OPSLIMIT', 'MEMLIMIT'].map(limit => [`crypto_pwhash_${limit}_${to}`, sodium[`crypto_pwhash_${limit}_${from}`] as number]))
}
