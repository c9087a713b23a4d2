'use strict'

const { html } = require('../../demo/pages/html')

function homePage () {
  return {
    title: 'Signed in elsewhere, remembered in a cookie',
    body: html`
    <p class="lead">An identity provider, another server, signs you in. It gives this site two tokens. They are sealed in
      your session cookie: this server keeps nothing, and your browser cannot read them.</p>
    <div class="cards">
      <a class="card" href="/account"><h2>A private page</h2>
        <p>It shows when the access token ends. Reload it after that, and there is a new one.</p></a>
      <a class="card" href="/orders"><h2>Calls to another API</h2>
        <p>With the access token from your session. The API asks the provider whether the token is good.</p></a>
    </div>
    <p class="note">The names and passwords are printed where the example was started.</p>`
  }
}

module.exports = { homePage }
