'use strict'

const { html } = require('./html')
const { csrfField, time } = require('./parts')

const DONE = {
  others: 'All your other sessions are over. This one goes on under a new id.',
  password: 'Your password is changed, and all your other sessions are over.'
}

/**
 * @param boundSinceMs null for a session that is not bound to a device
 * @param done what was just done; undefined for nothing
 */
function sessionsPage ({ csrf, info, overTls, boundSinceMs, done, nowMs }) {
  const { id, createdAt, authenticatedAt, expiresAt } = info
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
          <dt>Bound to this device</dt><dd>${boundSinceMs === null ? notBound(overTls) : bound(boundSinceMs, info, nowMs)}</dd>
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

function bound (sinceMs, { provenAt }, nowMs) {
  return html`since ${time(sinceMs, nowMs)}; last proved ${time(provenAt, nowMs)}`
}

function notBound (overTls) {
  return overTls
    ? html`No. Your browser has made no key for this session: it does not know how, or is not done yet. Load this page again.`
    : html`No. Browsers do that only over TLS: start the demo with <code>npm run start:tls</code>.`
}

module.exports = { sessionsPage }
