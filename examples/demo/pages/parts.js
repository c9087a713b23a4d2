'use strict'

const { html } = require('./html')

const TIME = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })
const FROM_NOW = new Intl.RelativeTimeFormat('en', { numeric: 'always' })
const EUROS = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' })

function csrfField (csrf) {
  return html`<input type="hidden" name="csrf" value="${csrf}">`
}

/** Where to go when the form was taken. */
function returnField (to) {
  return html`<input type="hidden" name="to" value="${to}">`
}

function euros (cents) {
  return EUROS.format(cents / 100)
}

function time (atMs, nowMs) {
  return html`<time datetime="${new Date(atMs).toISOString()}">${TIME.format(atMs)} UTC</time> <small>${fromNow(atMs - nowMs)}</small>`
}

function fromNow (ms) {
  const minutes = Math.round(ms / 60_000)
  if (minutes === 0) return 'now'
  return Math.abs(minutes) < 60 ? FROM_NOW.format(minutes, 'minute') : FROM_NOW.format(Math.round(minutes / 60), 'hour')
}

module.exports = { csrfField, returnField, euros, time }
