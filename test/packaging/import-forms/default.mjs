import secureSession from 'fastify-sealed-session'
import use from './use.cjs'

await use((app, options) => app.register(secureSession, options))
