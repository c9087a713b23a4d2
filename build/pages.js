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
const KEPT = join(ROOT, 'node_modules/.cache/pages')
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
  return repository === undefined ? undefined : `${homepage.replace(/#.*$/, '')}/blob/main`
}

function pack () {
  // Of a packing that did not end.
  restore()
  const address = addressOf(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')))
  for (const page of PAGES) {
    const text = readFileSync(join(ROOT, page), 'utf8')
    mkdirSync(dirname(join(KEPT, page)), { recursive: true })
    writeFileSync(join(KEPT, page), text)
    writeFileSync(join(ROOT, page), published(page, text, address))
  }
}

function restore () {
  for (const page of PAGES.filter(page => existsSync(join(KEPT, page)))) {
    writeFileSync(join(ROOT, page), readFileSync(join(KEPT, page)))
    rmSync(join(KEPT, page))
  }
}

if (require.main === module) ({ pack, restore })[process.argv[2]]()

module.exports = { published }
