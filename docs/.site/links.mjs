// A plugin of markdown-it: links that are written for the repository, and names of its pages, lead to the site.

import { linkInSite, listPages, sourceOf } from './pages.mjs'

export function linksInSite (md) {
  const pages = listPages()
  md.core.ruler.push('links-in-site', ({ tokens, env, Token }) => {
    // The pages of the reference are written for the site.
    if (sourceOf(pages, env.relativePath) === undefined) return
    for (const token of tokens) {
      const rewriting = new Rewriting(pages, env.relativePath, Token)
      if (token.children !== null) token.children = rewriting.tokensOf(token.children)
    }
  })
}

class Rewriting {
  #pages
  #page
  #Token
  #isInLink = false
  /** Of the link that is open, if it leads to a file that is no page: it becomes its text, with the path. */
  #path = null

  constructor (pages, page, Token) {
    this.#pages = pages
    this.#page = page
    this.#Token = Token
  }

  tokensOf (tokens) {
    return tokens.flatMap(token => this[token.type]?.(token) ?? [token])
  }

  image (token) {
    token.attrSet('src', linkInSite(this.#pages, this.#page, token.attrGet('src')).link)
  }

  link_open (token) {
    const { link, file } = linkInSite(this.#pages, this.#page, token.attrGet('href'))
    this.#isInLink = true
    this.#path = file ?? null
    if (link === undefined) return []
    token.attrSet('href', link)
  }

  link_close () {
    const path = this.#path
    this.#isInLink = false
    this.#path = null
    if (path !== null) return [this.#text(' ('), this.#code(path), this.#text(' in the repository)')]
  }

  code_inline (token) {
    const { content } = token
    if (this.#isInLink || !content.endsWith('.md') || !this.#pages.has(content)) return
    const open = new this.#Token('link_open', 'a', 1)
    open.attrSet('href', linkInSite(this.#pages, this.#page, `/${content}`).link)
    return [open, token, new this.#Token('link_close', 'a', -1)]
  }

  #text (content) {
    return Object.assign(new this.#Token('text', '', 0), { content })
  }

  #code (content) {
    return Object.assign(new this.#Token('code_inline', 'code', 0), { content, markup: '`' })
  }
}
