// Which files of the repository are pages or pictures of the site, and by which names.

import { existsSync, readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Those outside of docs/. */
const OTHERS = {
  'README.md': 'index.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'security.md',
  'benchmarks/results.md': 'results.md'
}

/** Paths in the site by paths in the repository. */
export function listPages () {
  const pages = new Map(Object.entries(OTHERS).filter(([file]) => existsSync(join(ROOT, file))))
  for (const path of filesIn('docs')) {
    if (/^[^.].*\.(?:md|svg)$/.test(path)) pages.set(`docs/${path}`, path.replace(/(^|\/)README\.md$/, '$1index.md'))
  }
  for (const name of filesIn('benchmarks/results')) pages.set(`benchmarks/results/${name}`, `results/${name}`)
  return pages
}

function filesIn (folder) {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  return names.map(name => name.replaceAll('\\', '/')).filter(name => !name.startsWith('.site/'))
}

/** The file in the repository that a page of the site is made from. */
export function sourceOf (pages, page) {
  return [...pages].find(([, path]) => path === page)?.[0]
}

/**
 * A link of a page, for the site.
 * @param pages of `listPages`
 * @param {string} page the path of the page in the site
 * @param {string} href as the page has it, such as `../README.md#install`; `/docs/keys.md` is from the root
 * @returns {{ link?: string, file?: string }} the link, or the file that it leads to, if that is no part of the site
 * @throws {Error} if there is no such file
 */
export function linkInSite (pages, page, href) {
  if (/^(?:[a-z]+:|#)/i.test(href)) return { link: href }
  const source = sourceOf(pages, page)
  const [path, anchor = ''] = href.split(/(?=#)/)
  const from = path.startsWith('/') ? '.' : posix.dirname(source)
  const file = posix.join(from, decodeURI(path)).replace(/^\/|\/$/g, '')
  const target = pages.get(file)
  if (target !== undefined) return { link: './' + posix.relative(posix.dirname(page), target) + anchor }
  if (!existsSync(join(ROOT, file))) throw new Error(`${source} links to ${href}, and there is no such file`)
  return { file }
}
