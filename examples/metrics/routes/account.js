'use strict'

const NOTE = { type: 'object', required: ['note'], properties: { note: { type: 'string', maxLength: 500 } } }

/** What only who is logged in may see and change. */
async function accountRoutes (app) {
  app.addHook('onRequest', app.requireSession())

  app.get('/account', async ({ session }) => ({ user: session.get('user'), note: session.get('note') ?? null }))

  app.put('/account/note', { schema: { body: NOTE } }, async ({ session, body }, reply) => {
    session.set('note', body.note)
    return reply.code(204).send()
  })
}

module.exports = accountRoutes
