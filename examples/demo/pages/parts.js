'use strict'

const { html } = require('./html')

const EUROS = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' })

function csrfField (csrf) {
  return html`<input type="hidden" name="csrf" value="${csrf}">`
}

function euros (cents) {
  return EUROS.format(cents / 100)
}

module.exports = { csrfField, euros }
