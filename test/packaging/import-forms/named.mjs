import { fastifySecureSession, fileKeyring, memoryRevocation, redisKeyring, redisRevocation, sealedOpener, secureSession, secureSessionOpener } from 'fastify-sealed-session'
import use from './use.cjs'

for (const named of [fileKeyring, memoryRevocation, redisKeyring, redisRevocation, sealedOpener, secureSessionOpener]) {
  if (typeof named !== 'function') throw new Error('a name is missing')
}
if (fastifySecureSession !== secureSession) throw new Error('the names are not one plugin')

await use((app, options) => app.register(secureSession, options))
