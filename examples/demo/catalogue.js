'use strict'

const PRODUCTS = [
  { id: 'wax', name: 'Sealing wax, oxblood', priceCents: 450 },
  { id: 'seal', name: 'Brass seal with your initial', priceCents: 1800 },
  { id: 'envelopes', name: 'Laid envelopes, 25', priceCents: 900 },
  { id: 'ink', name: 'Iron gall ink, 50 ml', priceCents: 1250 },
  { id: 'twine', name: 'Flax twine', priceCents: 320 }
]

const PRODUCT_IDS = PRODUCTS.map(({ id }) => id)
const BY_ID = new Map(PRODUCTS.map(product => [product.id, product]))

/** The cart's lines with what the catalogue knows of them. A product that is no longer sold is left out. */
function priced (cart) {
  return cart.flatMap(({ product: id, quantity }) => {
    const product = BY_ID.get(id)
    return product === undefined ? [] : [{ product, quantity, totalCents: quantity * product.priceCents }]
  })
}

module.exports = { PRODUCTS, PRODUCT_IDS, priced }
