'use strict'

const { ordersPage } = require('../pages/orders')
const { requireUser } = require('../require-user')

async function ordersRoutes (app, { upstream }) {
  app.get('/orders', { onRequest: requireUser }, async ({ session }, reply) => {
    const orders = await upstream.orders(session.get('upstreamToken'))
    return reply.page(ordersPage({ user: session.get('user'), orders }))
  })
}

module.exports = ordersRoutes
