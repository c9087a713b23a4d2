'use strict'

const { html } = require('./html')
const { csrfField, euros } = require('./parts')

function cartPage ({ csrf, lines, products, mostOfOne }) {
  return {
    title: 'Cart',
    body: html`
    ${lines.length === 0 ? html`<p class="lead">Your cart is empty.</p>` : filled(lines, csrf, mostOfOne)}
    <h2>On the shelf</h2>
    <ul class="shelf">${products.map(product => html`
      <li class="card"><h3>${product.name}</h3>
        <form class="inline" method="post" action="/cart/add">${csrfField(csrf)}${productField(product)}
          <input type="hidden" name="quantity" value="1">
          <span>${euros(product.priceCents)}</span> <button aria-label="Add ${product.name}">Add</button>
        </form></li>`)}
    </ul>`
  }
}

function filled (lines, csrf, mostOfOne) {
  const totalCents = lines.reduce((sum, line) => sum + line.totalCents, 0)
  return html`
    <table>
      <thead><tr><th>Product</th><th>Quantity</th><th class="number">Price</th><th></th></tr></thead>
      <tbody>${lines.map(line => row(line, csrf, mostOfOne))}</tbody>
      <tfoot><tr><th colspan="2">Total</th><td class="number">${euros(totalCents)}</td><td></td></tr></tfoot>
    </table>`
}

function row ({ product, quantity, totalCents }, csrf, mostOfOne) {
  return html`
        <tr>
          <td>${product.name}</td>
          <td><form class="inline" method="post" action="/cart/change">${csrfField(csrf)}${productField(product)}
            <input class="quantity" name="quantity" type="number" min="1" max="${mostOfOne}" value="${quantity}" aria-label="Quantity of ${product.name}">
            <button class="quiet">Change</button></form></td>
          <td class="number">${euros(totalCents)}</td>
          <td><form class="inline" method="post" action="/cart/remove">${csrfField(csrf)}${productField(product)}
            <button class="quiet" aria-label="Remove ${product.name}">Remove</button></form></td>
        </tr>`
}

function productField ({ id }) {
  return html`<input type="hidden" name="product" value="${id}">`
}

module.exports = { cartPage }
