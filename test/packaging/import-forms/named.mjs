import { fileKeyring, redisKeyring, secureSession } from 'fastify-sealed-session'
import use from './use.cjs'

if (typeof fileKeyring !== 'function' || typeof redisKeyring !== 'function') throw new Error('a name is missing')

await use((app, options) => app.register(secureSession, options))
