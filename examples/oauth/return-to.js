'use strict'

const DEFAULT_PAGE = '/account'
const NOWHERE = /^\/(login|logout|signed-out)(\/|$)/

/**
 * The whole URL of the page of this site that `path` names; of the default page where it names none. It is whole on purpose:
 * cut down to its path again, `/.//elsewhere.example` would be `//elsewhere.example`, which leads away.
 */
function ownPage (path, publicUrl) {
  const fallback = new URL(DEFAULT_PAGE, publicUrl).href
  if (typeof path !== 'string' || !path.startsWith('/') || !URL.canParse(path, publicUrl)) return fallback
  const url = new URL(path, publicUrl)
  return url.origin === publicUrl && !NOWHERE.test(url.pathname) ? url.href : fallback
}

module.exports = { ownPage }
