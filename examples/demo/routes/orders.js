'use strict'

const { ordersPage } = require('../pages/orders')

async function ordersRoutes (app, { upstream }) {
  app.get('/orders', { onRequest: app.requireSession() }, async ({ session }, reply) => {
    const orders = await upstream.orders(session.get('upstreamToken'))
    return reply.page(ordersPage({ user: session.get('user'), orders }))
  })
}

module.exports = ordersRoutes
