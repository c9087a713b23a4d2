'use strict'

const { html } = require('./html')
const { euros } = require('./parts')

/** @param orders null where the upstream API no longer takes the session's token */
function ordersPage ({ user, orders }) {
  return { title: 'Your orders', body: orders === null ? tokenOver(user) : table(user, orders) }
}

function table (user, orders) {
  return html`
    <p class="lead">Hello ${user.name}. These come from the order service, another API. The demo called it with the
      access token from your session.</p>
    <table>
      <thead><tr><th>Order</th><th>Placed</th><th>What</th><th class="number">Total</th></tr></thead>
      <tbody>${orders.map(({ number, placed, what, totalCents }) => html`
        <tr><td><code>${number}</code></td><td>${placed}</td><td>${what}</td><td class="number">${euros(totalCents)}</td></tr>`)}
      </tbody>
    </table>`
}

function tokenOver (user) {
  return html`
    <div class="card narrow">
      <p>You are signed in, ${user.name}, but the order service no longer knows the token in your session. That happens
        when it restarts. Sign in again, and you get a new one.</p>
      <p><a class="button" href="/login">Sign in again</a></p>
    </div>`
}

module.exports = { ordersPage }
