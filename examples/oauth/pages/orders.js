'use strict'

const { html } = require('../../demo/pages/html')
const { csrfField, euros } = require('../../demo/pages/parts')

function ordersPage ({ user, orders, first, csrf }) {
  const other = first === 'newest' ? 'oldest' : 'newest'
  return {
    title: 'Your orders',
    body: html`
    <p class="lead">Hello ${user.name}. These come from the order service, another API. It was called with the access token from
      your session, and asked the identity provider whose token it is.</p>
    <table>
      <thead><tr><th>Order</th><th>Placed</th><th>What</th><th class="number">Total</th></tr></thead>
      <tbody>${orders.map(({ number, placed, what, totalCents }) => html`
        <tr><td><code>${number}</code></td><td>${placed}</td><td>${what}</td><td class="number">${euros(totalCents)}</td></tr>`)}
      </tbody>
    </table>
    <form method="post" action="/orders/first">${csrfField(csrf)}<input type="hidden" name="first" value="${other}">
      <p class="note"><button class="quiet">Show the ${other} first</button> Your session remembers it, beside the tokens.</p>
    </form>`
  }
}

module.exports = { ordersPage }
