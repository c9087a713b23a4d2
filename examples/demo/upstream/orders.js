'use strict'

/** Who ordered what. */
const ORDERS = {
  ada: [
    { number: 'A-1843', placed: '2026-02-03', what: 'Iron gall ink, 50 ml', totalCents: 1250 },
    { number: 'A-1815', placed: '2025-12-10', what: 'Laid envelopes, 25; flax twine', totalCents: 1220 }
  ],
  grace: [
    { number: 'G-1947', placed: '2026-01-09', what: 'Brass seal with your initial', totalCents: 1800 }
  ]
}

module.exports = { ORDERS }
