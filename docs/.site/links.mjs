// A plugin of markdown-it: links that are written for the repository lead to the pages of the site.

import { linkInSite, listPages } from './pages.mjs'

export function linksInSite (md) {
  const pages = listPages()
  md.core.ruler.push('links-in-site', ({ tokens, env, Token }) => {
    for (const token of tokens) {
      if (token.children !== null) token.children = rewrite(token.children, pages, env.relativePath, Token)
    }
  })
}

/** A link to a file that is no page becomes its text, with the path. */
function rewrite (tokens, pages, page, Token) {
  const written = []
  let path = null
  for (const token of tokens) {
    if (token.type === 'image') token.attrSet('src', linkInSite(pages, page, token.attrGet('src')).link)
    if (token.type === 'link_open') {
      const { link, file } = linkInSite(pages, page, token.attrGet('href'))
      if (link === undefined) {
        path = file
        continue
      }
      token.attrSet('href', link)
    }
    if (token.type === 'link_close' && path !== null) {
      written.push(...inRepository(path, Token))
      path = null
      continue
    }
    written.push(token)
  }
  return written
}

function inRepository (path, Token) {
  const [before, code, after] = [new Token('text', '', 0), new Token('code_inline', 'code', 0), new Token('text', '', 0)]
  Object.assign(before, { content: ' (' })
  Object.assign(code, { content: path, markup: '`' })
  Object.assign(after, { content: ' in the repository)' })
  return [before, code, after]
}
