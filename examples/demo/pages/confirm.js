'use strict'

const { html } = require('./html')
const { csrfField, returnField } = require('./parts')

/** @param problem what to tell after an attempt that failed */
function confirmPage ({ csrf, to, user, problem }) {
  return {
    title: 'Is it still you?',
    body: html`
    <form class="card narrow" method="post" action="/confirm">${csrfField(csrf)}${returnField(to)}
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <p>You signed in more than five minutes ago, ${user.name}. This page wants your password once more.</p>
      <input type="hidden" name="username" value="${user.id}" autocomplete="username">
      <label>Password
        <input name="password" type="password" required maxlength="128" autocomplete="current-password"></label>
      <button>Go on</button>
    </form>`
  }
}

module.exports = { confirmPage }
