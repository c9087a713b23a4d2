'use strict'

const { ordersPage } = require('../pages/orders')

const ORDER = { type: 'object', required: ['first'], properties: { first: { enum: ['newest', 'oldest'] } } }

async function ordersRoutes (app, { api }) {
  app.addHook('onRequest', app.requireUser)

  app.get('/orders', async (request, reply) => {
    const { session } = request
    const orders = await request.call(token => api.orders(token))
    const first = session.get('first') ?? 'newest'
    orders.sort((a, b) => first === 'newest' ? b.placed.localeCompare(a.placed) : a.placed.localeCompare(b.placed))
    return reply.page(ordersPage({ user: session.get('user'), orders, first, csrf: session.get('csrf') }))
  })

  app.post('/orders/first', { schema: { body: ORDER } }, async ({ session, body }, reply) => {
    session.set('first', body.first)
    return reply.redirect('/orders', 303)
  })
}

module.exports = ordersRoutes
