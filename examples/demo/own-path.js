'use strict'

const ANY_SITE = 'http://site.invalid'
const MOST_CHARACTERS = 256

/**
 * The path of this site that `to` names; `otherwise` where it names none, or one of another site. It is read as a browser
 * reads it, for `/\elsewhere.example` leads away, too.
 */
function ownPath (to, otherwise) {
  if (typeof to !== 'string' || !to.startsWith('/') || !URL.canParse(to, ANY_SITE)) return otherwise
  const { origin, pathname, search } = new URL(to, ANY_SITE)
  const path = pathname + search
  // What began as `/.//elsewhere.example` is `//elsewhere.example` by now.
  return origin === ANY_SITE && !path.startsWith('//') && path.length <= MOST_CHARACTERS ? path : otherwise
}

module.exports = { ownPath }
