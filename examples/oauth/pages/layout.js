'use strict'

const { html } = require('../../demo/pages/html')
const { csrfField } = require('../../demo/pages/parts')

const LINKS = [['/', 'Home'], ['/account', 'Your account'], ['/orders', 'Your orders']]

/** @param user null or undefined if no user is signed in */
function layout ({ title, body, url, user, csrf }) {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title} · Wax &amp; Seal</title>
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <header>
    <a class="brand" href="/">Wax &amp; Seal</a>
    <nav aria-label="Pages">${LINKS.map(([path, name]) => link(path, name, url))}</nav>
    ${user ? signedIn(user, csrf) : link('/login', 'Sign in', url)}
  </header>
  <main>
    <h1>${title}</h1>
    ${body}
  </main>
  <footer>An example of <code>fastify-sealed-session</code>: the tokens of the identity provider lie sealed in your session.</footer>
</body>
</html>
`
}

function link (path, name, url) {
  return path === url ? html`<a href="${path}" aria-current="page">${name}</a>` : html`<a href="${path}">${name}</a>`
}

function signedIn (user, csrf) {
  return html`<form class="inline" method="post" action="/logout">${csrfField(csrf)}
      <span class="who">${user.name}</span> <button class="quiet">Sign out</button>
    </form>`
}

module.exports = { layout }
