'use strict'

/**
 * The published pages link to files of the repository that are not published. While the package is packed, such a link
 * is a path in words: `[Keys](docs/keys.md)` becomes "Keys (`docs/keys.md`)". Where package.json has
 * the address of the repository, the link leads there instead.
 *
 *     node build/pages.js pack       before packing
 *     node build/pages.js restore    after it
 */

const { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { dirname, join, posix, resolve } = require('node:path')

const ROOT = resolve(__dirname, '..')
const KEPT = join(ROOT, 'node_modules/.cache/pages.json')
const PAGES = ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'docs/errors.md', 'docs/options.md']

/**
 * A page as it is published.
 * @param page its path
 * @param address of the files of the repository; undefined if it has none yet
 */
function published (page, markdown, address) {
  return markdown.replace(/(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)]+)\)/g, (link, mark, text, href) => {
    const [path, anchor = ''] = href.split(/(?=#)/)
    const file = posix.join(posix.dirname(page), path)
    if (PAGES.includes(file)) return link
    if (address !== undefined) return `${mark}[${text}](${address}/${file}${anchor})`
    return mark === '!' ? text : `${text} (\`${file}\`)`
  })
}

function addressOf ({ homepage, repository }) {
  const isKnown = homepage !== undefined && repository !== undefined
  return isKnown ? `${homepage.replace(/#.*$/, '')}/blob/main` : undefined
}

function pack (root = ROOT, kept = KEPT) {
  // Of a packing that did not end.
  restore(root, kept)
  const address = addressOf(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  const pages = PAGES.map(page => {
    const original = readFileSync(join(root, page), 'utf8')
    return { page, original, packed: published(page, original, address) }
  })
  mkdirSync(dirname(kept), { recursive: true })
  writeFileSync(kept, JSON.stringify(pages))
  for (const { page, packed } of pages) writeFileSync(join(root, page), packed)
}

/** A page that was edited since it was packed stays as it is. */
function restore (root = ROOT, kept = KEPT) {
  if (!existsSync(kept)) return
  for (const { page, original, packed } of JSON.parse(readFileSync(kept, 'utf8'))) {
    if (readFileSync(join(root, page), 'utf8') === packed) writeFileSync(join(root, page), original)
  }
  rmSync(kept)
}

if (require.main === module) ({ pack, restore })[process.argv[2]]()

module.exports = { pack, published, restore }
