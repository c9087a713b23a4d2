'use strict'

const { html } = require('../../demo/pages/html')
const { PROBLEMS } = require('../problems')

/**
 * What a visitor needs to know, and nothing of what happened inside.
 * @param url the page that was asked for, to come back to
 */
function errorPage (name, status, url) {
  const { title, text, to } = PROBLEMS[name]
  const [href, label] = linkTo(to, url)
  return {
    title,
    body: html`
    <div class="card narrow">
      <p>${text}</p>
      <p><a class="button" href="${href}">${label}</a></p>
    </div>
    <p class="note">Status ${status}</p>`
  }
}

function linkTo (to, url) {
  // The callback cannot be asked for again, and what is in its URL belongs on no page.
  const isCallback = url.startsWith('/login')
  if (to === 'login') return [isCallback ? '/login' : `/login?return_to=${encodeURIComponent(url)}`, 'Sign in']
  if (to === 'again' && !isCallback) return [url, 'Try again']
  return ['/', 'Go to the start page']
}

module.exports = { errorPage }
