'use strict'

const { html } = require('../../demo/pages/html')

const WHAT_SCOPES_MEAN = {
  openid: 'know who you are',
  profile: 'know your name',
  offline_access: 'stay signed in when the hour is over',
  orders: 'read your orders'
}

const PAGES = {
  signIn: ({ uid, client, username = '', problem }) => ({
    title: 'Sign in',
    body: html`
    <p class="lead">${client} wants to know who you are.</p>
    <form class="card narrow" method="post" action="/interaction/${uid}/login">
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <label>Name
        <input name="username" value="${username}" required maxlength="64" autocomplete="username" autocapitalize="none" spellcheck="false"></label>
      <label>Password
        <input name="password" type="password" required maxlength="128" autocomplete="current-password"></label>
      <button>Sign in</button>
    </form>${cancelForm(uid)}`
  }),

  consent: ({ uid, client, scopes }) => ({
    title: `Allow ${client}?`,
    body: html`
    <form class="card narrow" method="post" action="/interaction/${uid}/consent">
      <p>${client} will be able to</p>
      <ul>${scopes.map(scope => html`<li>${WHAT_SCOPES_MEAN[scope] ?? scope}</li>`)}</ul>
      <button>Allow</button>
    </form>${cancelForm(uid)}`
  }),

  signOut: ({ form }) => ({
    title: 'Sign out here, too?',
    body: html`
    <div class="card narrow">
      <p>The site has signed you out. Other sites may still use your sign-in here.</p>
      ${html([form])}
      <p><button form="op.logoutForm" name="logout" value="yes">Yes, sign out everywhere</button></p>
      <p><button class="quiet" form="op.logoutForm">No, stay signed in here</button></p>
    </div>`
  }),

  signedOut: () => ({ title: 'You are signed out', body: html`<p>You may close this page.</p>` }),

  error: ({ error }) => ({
    title: 'That did not work',
    body: html`<div class="card narrow"><p>Please go back to the site, and begin again.</p></div><p class="note">${error}</p>`
  })
}

function cancelForm (uid) {
  return html`
    <form method="post" action="/interaction/${uid}/cancel"><p class="note"><button class="quiet">Cancel</button></p></form>`
}

/** A page of the provider as text. */
function page (name, values) {
  const { title, body } = PAGES[name](values)
  return String(html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title} · Signet</title>
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <header><span class="brand">Signet</span> <span class="who">the identity provider</span></header>
  <main><h1>${title}</h1>${body}</main>
</body>
</html>
`)
}

/** The same by Koa, which oidc-provider is made with. */
function sendPage (ctx, headers, name, values) {
  ctx.set(headers)
  ctx.type = 'html'
  ctx.body = page(name, values)
}

function sendError (ctx, headers, error) {
  sendPage(ctx, headers, 'error', { error })
}

module.exports = { page, sendPage, sendError }
