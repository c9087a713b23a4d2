'use strict'

const { html } = require('./html')
const { csrfField } = require('./parts')

function passwordPage ({ csrf, user }) {
  return {
    title: 'A new password',
    body: html`
    <form class="card narrow" method="post" action="/account/password">${csrfField(csrf)}
      <p>You stay signed in here. All your other sessions end.</p>
      <input type="hidden" name="username" value="${user.id}" autocomplete="username">
      <label>New password, 12 characters or more
        <input name="password" type="password" required minlength="12" maxlength="128" autocomplete="new-password"></label>
      <button>Change it</button>
    </form>
    <p class="note">It holds until the demo restarts.</p>`
  }
}

module.exports = { passwordPage }
