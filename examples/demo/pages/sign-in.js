'use strict'

const { html } = require('./html')
const { csrfField, returnField } = require('./parts')

/** @param problem what to tell after an attempt that failed */
function signInPage ({ csrf, to, username = '', problem }) {
  return {
    title: 'Sign in',
    body: html`
    <form class="card narrow" method="post" action="/login">${csrfField(csrf)}${returnField(to)}
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <label>Name
        <input name="username" value="${username}" required maxlength="64" autocomplete="username" autocapitalize="none" spellcheck="false"></label>
      <label>Password
        <input name="password" type="password" required maxlength="128" autocomplete="current-password"></label>
      <button>Sign in</button>
    </form>
    <p class="note">The names and passwords are printed where the demo was started.</p>`
  }
}

module.exports = { signInPage }
