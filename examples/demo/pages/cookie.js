'use strict'

const { html } = require('./html')
const { time } = require('./parts')

// docs/format.md: 6 bytes of version, parts and key id, then 24 of nonce. Base64url makes 4 characters of 3 bytes.
const NONCE_AT = 6 / 3 * 4
const CIPHERTEXT_AT = (6 + 24) / 3 * 4

/**
 * @param token the session cookie; null where the browser sent none
 * @param stamp the second, small one, which comes when a session is used for long without a change, or checked; null likewise
 * @param pass the one that a login sets over TLS, and that goes when the browser has proved its key; null likewise
 * @param proof the one that the browser fetches by signing with its key; null likewise
 */
function cookiePage ({ token, stamp, pass, proof, data, info, nowMs }) {
  return {
    title: 'What the browser holds',
    body: html`
    <div class="columns">
      <section class="card"><h2>The browser holds</h2>${token === null ? html`<p>No session cookie.</p>` : held(token, stamp, pass, proof)}</section>
      <section class="card"><h2>The server reads</h2>${info.isNew ? unread(token) : read(data, info, nowMs)}</section>
    </div>
    <p class="note">Reload this page, and the cookie stays as it is: reading writes nothing. Change the cart, and all of
      it but the head is new. A real site would show none of this: scripts, screenshots and copied text could carry the cookie away.</p>`
  }
}

function held (token, stamp, pass, proof) {
  return html`
        ${sealed(token)}
        <p class="legend"><span class="head">version and key id</span> · <span class="nonce">nonce</span> · sealed session</p>
        <p>${token.length} characters. A cookie has 4,093 bytes, with its name and attributes.</p>
        ${stamp && html`<p>And a stamp, which says only when the session was used, and when it was last known not to be ended:</p>${sealed(stamp)}`}
        ${pass && html`<p>And a pass, for a browser that has not proved a key yet:</p><pre class="token">${pass}</pre>`}
        ${proof && html`<p>And a proof that the browser has the key of this session, good for minutes:</p>${sealed(proof)}`}`
}

function sealed (token) {
  return html`<pre class="token"><span class="head">${token.slice(0, NONCE_AT)}</span><span class="nonce">${token.slice(NONCE_AT, CIPHERTEXT_AT)}</span>${token.slice(CIPHERTEXT_AT)}</pre>`
}

function read (data, { id, createdAt, renewedAt, expiresAt }, nowMs) {
  return html`
        <pre>${JSON.stringify(data, null, 2)}</pre>
        <dl>
          <dt>Session</dt><dd><code>${id}</code></dd>
          <dt>Began</dt><dd>${time(createdAt, nowMs)}</dd>
          <dt>Renewed</dt><dd>${time(renewedAt, nowMs)}</dd>
          <dt>Ends, if unused</dt><dd>${time(expiresAt, nowMs)}</dd>
        </dl>`
}

function unread (token) {
  return token === null
    ? html`<p>Nothing. <a href="/login">Sign in</a> or <a href="/cart">fill a cart</a>, and look again.</p>`
    : html`<p>Nothing: this cookie does not open. It is too old, was changed, or was sealed with another key.</p>`
}

module.exports = { cookiePage }
