'use strict'

const { html } = require('./html')
const { csrfField, time } = require('./parts')

const DONE = {
  others: 'All your other sessions are over. This one goes on under a new id.',
  password: 'Your password is changed, and all your other sessions are over.'
}

/** @param done what was just done; undefined for nothing */
function sessionsPage ({ csrf, info: { id, createdAt, authenticatedAt, expiresAt }, done, nowMs }) {
  return {
    title: 'Your sessions',
    body: html`
    ${done && html`<p class="done" role="status">${DONE[done]}</p>`}
    <div class="columns">
      <section class="card"><h2>This one</h2>
        <dl>
          <dt>Session</dt><dd><code>${id}</code></dd>
          <dt>Began</dt><dd>${time(createdAt, nowMs)}</dd>
          <dt>You showed who you are</dt><dd>${time(authenticatedAt, nowMs)}</dd>
          <dt>Ends, if unused</dt><dd>${time(expiresAt, nowMs)}</dd>
        </dl>
        <form method="post" action="/logout">${csrfField(csrf)}<button class="quiet">Sign out here</button></form>
      </section>
      <section class="card"><h2>All others</h2>
        <p>The server keeps no list of sessions, so it cannot show them. It can end them.</p>
        <form class="stacked" method="post" action="/sessions">${csrfField(csrf)}
          <button class="quiet" name="end" value="others">Sign out everywhere else</button>
          <button class="quiet" name="end" value="all">Sign out everywhere</button>
        </form>
      </section>
    </div>
    <p><a class="button" href="/account/password">Change your password</a></p>
    <p class="note">That page wants you to have signed in within the last five minutes, and otherwise asks for your password.</p>`
  }
}

module.exports = { sessionsPage }
