'use strict'

const { html } = require('../../demo/pages/html')

function signedOutPage () {
  return {
    title: 'You are signed out',
    body: html`
    <div class="card narrow">
      <p>This site has forgotten you: the session is over, and its tokens were taken back.</p>
      <p><a class="button" href="/login">Sign in again</a></p>
    </div>`
  }
}

module.exports = { signedOutPage }
