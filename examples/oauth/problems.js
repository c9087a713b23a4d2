'use strict'

/** What can go wrong for a visitor: the status, and what the page says. `to: 'login'` offers to sign in and come back here. */
const PROBLEMS = {
  'not-signed-in': { status: 401, title: 'Please sign in', text: 'This page is for those who have signed in.', to: 'login' },
  'grant-ended': { status: 401, title: 'Your sign-in has ended', text: 'The identity provider no longer vouches for you. That happens after a sign-out elsewhere, or a long time. Please sign in again.', to: 'login' },
  cancelled: { status: 403, title: 'You did not sign in', text: 'The sign-in was cancelled at the identity provider, and nothing has changed here.', to: 'login' },
  'sign-in-over': { status: 400, title: 'This sign-in cannot be finished', text: 'It took too long, was used before, or was not the last one that this browser began. Nothing has changed here.', to: 'login' },
  'provider-wrong': { status: 502, title: 'The sign-in did not work', text: 'The identity provider sent an answer that this site does not accept. It has been noted.', to: 'login' },
  'provider-away': { status: 503, title: 'The identity provider does not answer', text: 'You are not signed out. Please try again in a moment.', to: 'again' },
  'api-away': { status: 502, title: 'The order service does not answer', text: 'Please try again in a moment.', to: 'again' },
  forged: { status: 403, title: 'This form cannot be taken', text: 'It is too old, or it was not sent from this site. Load the page again and send it once more.', to: 'home' },
  'not-found': { status: 404, title: 'Not found', text: 'There is no such page.', to: 'home' },
  'bad-request': { status: 400, title: 'That did not work', text: 'The request was not as it should be. Go back and try again.', to: 'home' },
  failure: { status: 500, title: 'Something went wrong', text: 'It is our fault, and it has been noted. Please try again later.', to: 'home' }
}

/** An error that becomes the page of this name. The message is for the log, so it must hold no token. */
function problem (name, message = name) {
  return Object.assign(new Error(message), { problem: name, statusCode: PROBLEMS[name].status })
}

/** Errors of the package that have a page of their own. */
const BY_CODE = { FST_SESSION_GRANT_ENDED: 'grant-ended', FST_SESSION_PROVIDER_UNAVAILABLE: 'provider-away' }

/** The page's name for any error, and its status: Fastify's own errors bring theirs. */
function problemOf ({ code, problem = BY_CODE[code], statusCode }) {
  if (problem !== undefined) return { name: problem, status: PROBLEMS[problem].status }
  if (!(statusCode >= 400 && statusCode < 500)) return { name: 'failure', status: 500 }
  const name = { 403: 'forged', 404: 'not-found' }[statusCode] ?? 'bad-request'
  return { name, status: statusCode }
}

module.exports = { PROBLEMS, problem, problemOf }
