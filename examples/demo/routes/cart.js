'use strict'

const { PRODUCTS, PRODUCT_IDS, priced } = require('../catalogue')
const { csrfTokenOf } = require('../csrf')
const { cartPage } = require('../pages/cart')

const MOST_OF_ONE = 9

const product = { enum: PRODUCT_IDS }
const quantity = { type: 'integer', minimum: 1, maximum: MOST_OF_ONE }
const LINE = { type: 'object', required: ['product', 'quantity'], properties: { product, quantity } }
const LINE_NAME = { type: 'object', required: ['product'], properties: { product } }

/** The cart is an array in the session, changed where it lies: the session notices, and the reply carries a new cookie. */
async function cartRoutes (app) {
  app.get('/cart', async ({ session }, reply) => {
    const lines = priced(session.get('cart') ?? [])
    return reply.page(cartPage({ csrf: csrfTokenOf(session), lines, products: PRODUCTS, mostOfOne: MOST_OF_ONE }))
  })

  app.post('/cart/add', { schema: { body: LINE } }, async ({ session, body }, reply) => {
    if (!session.has('cart')) session.set('cart', [])
    const cart = session.get('cart')
    const line = lineOf(cart, body.product)
    if (line === undefined) cart.push({ product: body.product, quantity: body.quantity })
    else line.quantity = Math.min(line.quantity + body.quantity, MOST_OF_ONE)
    return reply.redirect('/cart', 303)
  })

  app.post('/cart/change', { schema: { body: LINE } }, async ({ session, body }, reply) => {
    const line = lineOf(session.get('cart') ?? [], body.product)
    if (line !== undefined) line.quantity = body.quantity
    return reply.redirect('/cart', 303)
  })

  app.post('/cart/remove', { schema: { body: LINE_NAME } }, async ({ session, body }, reply) => {
    const cart = session.get('cart') ?? []
    const line = lineOf(cart, body.product)
    if (line !== undefined) cart.splice(cart.indexOf(line), 1)
    return reply.redirect('/cart', 303)
  })
}

function lineOf (cart, product) {
  return cart.find(line => line.product === product)
}

module.exports = cartRoutes
