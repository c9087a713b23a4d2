'use strict'

const { html } = require('../../demo/pages/html')

function accountPage ({ user, fingerprint, secondsLeft }) {
  return {
    title: 'Your account',
    body: html`
    <div class="card narrow">
      <dl>
        <dt>Name</dt><dd>${user.name}</dd>
        <dt>At the provider</dt><dd><code>${user.id}</code></dd>
        <dt>Access token</dt><dd>ends in ${secondsLeft} s</dd>
        <dt>Its fingerprint</dt><dd><code>${fingerprint}</code></dd>
      </dl>
      <p><a class="button" href="/account">Reload</a></p>
    </div>
    <p class="note">Shortly before its end, a request gets a new token: the fingerprint changes, and you notice nothing else. The
      fingerprint is the beginning of a hash; the token itself is on no page.</p>`
  }
}

module.exports = { accountPage }
