import { DEFAULT_REDIS_KEY } from '../stores/keyring-redis'
import type { Option } from './command'

/** Options that several commands have. */

export const JSON_OPTION: Option = { name: 'json', about: 'print JSON, for programs' }

export const RING_OPTIONS: readonly Option[] = [
  { name: 'keyring', value: 'FILE', about: 'the ring is in this file' },
  { name: 'redis', value: 'URL', about: 'the ring is in Redis or Valkey: redis://host:6379,\nor rediss:// for TLS; needs ioredis or iovalkey' },
  { name: 'redis-key', value: 'KEY', about: `where in Redis; default ${DEFAULT_REDIS_KEY}` },
  { name: 'others-may-read', about: 'accept a file that other users may read, such as a\nsecret that Kubernetes mounted' }
]

export const KEY_ENV_OPTION = 'key-env'

export const KEEP_FOR_OPTION: Option = { name: 'keep-for', value: 'DURATION', about: 'how long a key opens sessions after it sealed the\nlast one; default 90d. Shorter than the option\n"absolute" of the servers would log people out' }

export const RING_USAGE = '(--keyring FILE | --redis URL)'
