'use strict'

const { html } = require('./html')

const HOME = ['/', 'Go to the start page']

const KNOWN = {
  401: ['Please sign in', 'This page is for those who have signed in.', null],
  403: ['This form cannot be taken', 'It is too old, or it was not sent from this site. Load the page again and send it once more.', HOME],
  404: ['Not found', 'There is no such page.', HOME],
  502: ['The order service does not answer', 'Please try again in a moment.', ['/orders', 'Try again']],
  503: ['Please try again', 'We cannot tell right now whether you are still signed in.', HOME]
}
const BAD_REQUEST = ['That did not work', 'The form was not filled in as it should be. Go back and try again.', HOME]
const FAILURE = ['Something went wrong', 'It is our fault, and it has been noted. Please try again later.', HOME]

/**
 * What a visitor needs to know, and nothing of what happened inside.
 * @param url where it happened; who has to sign in first comes back there
 */
function errorPage (status, url) {
  const [title, text, link] = KNOWN[status] ?? (status < 500 ? BAD_REQUEST : FAILURE)
  const [href, name] = link ?? [`/login?to=${encodeURIComponent(url)}`, 'Sign in']
  return {
    title,
    body: html`
    <div class="card narrow">
      <p>${text}</p>
      <p><a class="button" href="${href}">${name}</a></p>
    </div>
    <p class="note">Status ${status}</p>`
  }
}

module.exports = { errorPage }
