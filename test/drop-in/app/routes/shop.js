'use strict'

const { Readable } = require('node:stream')

module.exports = async function shop (app, { store }) {
  app.get('/books', async () => store.books())

  app.get('/cart', async request => ({ cart: request.session.get('cart') || [] }))

  app.post('/cart', async (request, reply) => {
    const { id, count = 1 } = request.body
    if (!store.book(id)) throw Object.assign(new Error('no such book'), { statusCode: 400 })
    const cart = request.session.get('cart') || []
    const line = cart.find(line => line.id === id)
    if (line) line.count += count
    else cart.push({ id, count })
    request.session.set('cart', cart)
    return reply.code(201).send({ cart })
  })

  app.delete('/cart/:id', async request => {
    request.session.cart = (request.session.cart || []).filter(({ id }) => id !== request.params.id)
    return { cart: request.session.cart }
  })

  app.post('/checkout', { preHandler: app.requireLogin }, async (request, reply) => {
    const { cart, user } = request.session
    if (!cart || cart.length === 0) throw Object.assign(new Error('the cart is empty'), { statusCode: 409 })
    const order = store.order(user.id, cart)
    request.session.set('cart', undefined)
    request.flash('info', [`order ${order.id} is on its way`, 'thank you'])
    return reply.redirect('/orders', 303)
  })

  app.get('/orders', { preHandler: app.requireLogin }, async (request, reply) => ({
    orders: store.orders.filter(({ userId }) => userId === request.currentUser.id).map(({ id, cents }) => ({ id, cents })),
    info: reply.flash('info')
  }))

  app.get('/orders.csv', { preHandler: app.requireLogin }, async (request, reply) => {
    request.session.touch()
    return reply.type('text/csv').send(Readable.from(store.orders.map(({ id, cents }) => `${id},${cents}\n`)))
  })
}
