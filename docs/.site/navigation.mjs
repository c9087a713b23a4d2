// The pages by what a reader wants to do.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listReference } from './api.mjs'
import { listPages, ROOT } from './pages.mjs'

const GROUPS = {
  Start: {
    Install: '/',
    'Log in and out': '/login',
    'Read and write a session': '/session',
    'All options': '/options',
    'All errors': '/errors'
  },
  Users: {
    'Remember me': '/login#remember-me',
    'Keep an access token': '/fresh-tokens',
    'Log out everywhere': '/login#log-out-everywhere',
    'Access and refresh tokens': '/refresh-tokens',
    'Links in mails': '/tokens',
    'Device bound sessions': '/device-bound'
  },
  Servers: {
    'Flags of the cookie': '/cookies',
    'Behind nginx and caches': '/cookies#behind-proxies-and-caches',
    'Keys and their rotation': '/keys',
    'Several domains': '/domains',
    'Several tenants': '/tenants',
    'Apps without cookies': '/bearer'
  },
  'Move from …': {
    '@fastify/secure-session': '/migration#from-fastifysecure-session',
    '@fastify/session': '/migration#from-fastifysession',
    'iron-session': '/migration#from-iron-session',
    'JWT cookies': '/migration#from-signed-jwt-cookies',
    'Another library': '/migration#your-own-opener'
  },
  Recipes: {
    'All recipes': '/recipes/',
    'Tests as a logged-in user': '/recipes/testing'
  },
  Background: {
    Security: '/security',
    Performance: '/performance',
    Measurements: '/results',
    'The format': '/format',
    Architecture: '/architecture',
    Changes: '/changelog',
    Contributing: '/contributing'
  }
}

/** The sidebar. A page that no group names is in the last one of the guide, by its heading. */
export function navigation () {
  const files = [...listPages()].filter(([file]) => file.endsWith('.md'))
  const pages = new Map(files.map(([file, page]) => [linkOf(page), file]))
  const groups = Object.entries(GROUPS).map(([text, items]) => ({ text, items: itemsOf(items) }))
  const named = new Set(groups.flatMap(({ items }) => items.map(({ link }) => link.split('#')[0])))
  const others = [...pages].filter(([link]) => !named.has(link))
  const recipes = groups.find(({ text }) => text === 'Recipes').items
  recipes.push(...others.map(([link, file]) => ({ text: headingOf(file), link })))
  const reference = listReference().map(({ name, title }) => ({ text: title, link: `/api/${name}` }))
  const items = [{ text: 'All names', link: '/api/' }, ...reference]
  return [...groups, { text: 'API reference', collapsed: true, items }]
}

function itemsOf (items) {
  return Object.entries(items).map(([text, link]) => ({ text, link }))
}

function linkOf (page) {
  return `/${page.replace(/(?:index)?\.md$/, '')}`
}

function headingOf (file) {
  return /^# (.*)$/m.exec(readFileSync(join(ROOT, file), 'utf8'))[1]
}
