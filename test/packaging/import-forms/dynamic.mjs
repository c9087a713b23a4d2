import use from './use.cjs'

await use((app, options) => app.register(import('fastify-sealed-session'), options))
