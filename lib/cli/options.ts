import { DEFAULT_REDIS_KEY } from '../stores/keyring-redis'
import type { Option } from './command'

/** Options that several commands have. */

export const JSON_OPTION: Option = { name: 'json', about: 'print JSON, for programs' }

export const KEYRING_OPTION: Option = { name: 'keyring', value: 'FILE', about: 'the ring is in this file' }
export const REDIS_OPTION: Option = { name: 'redis', value: 'URL', about: 'the ring is in Redis or Valkey: redis://host:6379,\nor rediss:// for TLS; needs ioredis or iovalkey' }
export const REDIS_ENV_OPTION: Option = { name: 'redis-env', value: 'NAME', about: 'as --redis, with the URL in this environment\nvariable: for a URL that has a password in it' }
export const REDIS_KEY_OPTION: Option = { name: 'redis-key', value: 'KEY', about: `where in Redis; default ${DEFAULT_REDIS_KEY}` }
export const OTHERS_MAY_READ_OPTION: Option = { name: 'others-may-read', about: 'accept a file that other users may read, such as a\nsecret that Kubernetes mounted' }

export const RING_OPTIONS: readonly Option[] = [KEYRING_OPTION, REDIS_OPTION, REDIS_ENV_OPTION, REDIS_KEY_OPTION, OTHERS_MAY_READ_OPTION]

export const KEY_ENV_OPTION = 'key-env'

export const KEEP_FOR_OPTION: Option = { name: 'keep-for', value: 'DURATION', about: 'how long a key opens sessions after it sealed the\nlast one; default 90d. Shorter than the option\n"absolute" of the servers would log people out' }

/** On a line of its own. */
export const RING_USAGE = '\n(--keyring FILE | --redis URL | --redis-env NAME)'
