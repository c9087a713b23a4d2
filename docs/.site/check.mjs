// Every link of the built pages leads to a file of the site, and to an anchor in it.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/**
 * @param {string} folder of the built site
 * @returns {string[]} a line for each link that leads nowhere
 */
export function deadLinks (folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => name.replaceAll('\\', '/'))
  const pages = new Map(names.filter(name => name.endsWith('.html')).map(name => [name, read(folder, name)]))
  return [...pages].flatMap(([page, { links }]) => links.flatMap(link => {
    const [path, anchor] = link.split('#')
    const file = path === '' ? page : posix.join(path.startsWith('/') ? '.' : posix.dirname(page), pathOf(path))
    const target = pages.get(file)
    if (target === undefined && !existsSync(join(folder, file))) return [`${page}: ${link}: no such page`]
    if (anchor === undefined || target === undefined || target.anchors.has(decodeURIComponent(anchor))) return []
    return [`${page}: ${link}: no such anchor`]
  }))
}

function pathOf (path) {
  const file = decodeURI(path.split('?')[0])
  if (file.endsWith('/')) return `${file}index.html`
  return /\.\w+$/.test(file) ? file : `${file}.html`
}

function read (folder, name) {
  const html = readFileSync(join(folder, name), 'utf8')
  const links = Array.from(html.matchAll(/\s(?:href|src)="([^"]*)"/g), ([, link]) => link.replaceAll('&amp;', '&'))
  return {
    links: [...new Set(links.filter(link => !/^[a-z]+:/i.test(link)))],
    anchors: new Set(Array.from(html.matchAll(/\sid="([^"]*)"/g), ([, id]) => id))
  }
}
