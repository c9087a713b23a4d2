import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import t from 'tap'
import { ROOT } from './page'

const { pack, published, restore } = require('../../build/pages') as {
  pack: (root: string, kept: string) => void
  published: (file: string, text: string, address?: string) => string
  restore: (root: string, kept: string) => void
}
const { slugOf } = require('../../docs/.site/slug') as { slugOf: (heading: string) => string }

interface Page {
  /** Paths and addresses, as they are written. */
  readonly links: readonly string[]
  readonly pictures: readonly string[]
  /** Names of references that the page uses and does not define. */
  readonly undefinedReferences: readonly string[]
  readonly anchors: ReadonlySet<string>
}

const mdIn = (folder: string): string[] => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  .map(name => posix.join(folder, name.replaceAll('\\', '/')))
  .filter(name => name.endsWith('.md') && !name.startsWith('docs/.site/'))

const AT_TOP = readdirSync(ROOT).filter(name => name.endsWith('.md'))
const FILES = [...AT_TOP, ...mdIn('docs'), 'benchmarks/README.md', 'benchmarks/results.md', 'test/README.md']
const PAGES = new Map(FILES.map(file => [file, read(readFileSync(join(ROOT, file), 'utf8'))]))

function read (markdown: string): Page {
  const prose = markdown.replace(/^( *)```[^]*?^\1```$/gm, '')
  const text = prose.replace(/(`+)[^`][^]*?\1/g, 'code')
  const defined = text.matchAll(/^\[([^\]]+)\]:\s+(\S+)$/gm)
  const definitions = new Map(Array.from(defined, ([, name, href]) => [name as string, href as string]))
  const used = Array.from(text.matchAll(/\[[^\]]*\]\[([^\]]+)\]/g), ([, name]) => name as string)
  const hrefs = (pattern: RegExp): string[] => Array.from(text.matchAll(pattern), ([, href]) => href as string)
  return {
    links: [...hrefs(/(?<!!\[[^\]]*)\]\(([^)\s]+)\)/g), ...definitions.values()],
    pictures: hrefs(/!\[[^\]]*\]\(([^)\s]+)\)/g),
    undefinedReferences: used.filter(name => !definitions.has(name)),
    anchors: anchorsOf(prose)
  }
}

function anchorsOf (prose: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = slugOf((heading as string).replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, ''))
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

/** The file or folder of the repository that a link of a page leads to; null for an address of another site. */
function targetOf (file: string, link: string): string | null {
  if (/^[a-z]+:/i.test(link)) return null
  const [path] = link.split('#') as [string]
  return path === '' ? file : posix.join(posix.dirname(file), path).replace(/\/$/, '')
}

t.test('every link and picture of the Markdown leads to a file of the repository, and to a heading in it', async t => {
  const wrong: string[] = []
  for (const [file, { links, pictures, undefinedReferences }] of PAGES) {
    for (const link of [...links, ...pictures]) {
      const target = targetOf(file, link)
      if (target === null) continue
      const [, anchor] = link.split('#')
      const found = existsSync(join(ROOT, target)) && (anchor === undefined || PAGES.get(target)?.anchors.has(anchor))
      if (found !== true) wrong.push(`${file}: ${link}`)
    }
    for (const name of undefinedReferences) wrong.push(`${file}: [${name}] is not defined`)
  }
  t.strictSame(wrong, [])
})

t.test('links and pictures of the published Markdown lead to published files', async t => {
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] }
  const all = ['README.md', ...files]
  const wrong: string[] = []
  for (const file of all.filter(file => file.endsWith('.md'))) {
    const { links, pictures } = read(published(file, readFileSync(join(ROOT, file), 'utf8')))
    for (const link of [...links, ...pictures]) {
      const target = targetOf(file, link)
      if (target !== null && !all.includes(target)) wrong.push(`${file}: ${link}`)
    }
  }
  t.strictSame(wrong, [])
})

t.test('once package.json has an address, links of the published Markdown lead there', async t => {
  const markdown = '![a picture](a.svg) [Keys](keys.md#rotate), [Errors](errors.md), [a site](https://a.example) [above](#top)'
  t.equal(published('docs/options.md', markdown, 'https://a.example/files'), '![a picture](https://a.example/files/docs/a.svg) ' +
    '[Keys](https://a.example/files/docs/keys.md#rotate), [Errors](errors.md), [a site](https://a.example) [above](#top)')
  t.equal(published('docs/options.md', markdown), 'a picture Keys (`docs/keys.md`), [Errors](errors.md), [a site](https://a.example) [above](#top)')
})

t.test('after packing the pages are as before, and an edit after a packing that did not end stays', async t => {
  const root = t.testdir({ docs: {} })
  const kept = join(root, 'cache/pages.json')
  const files = ['package.json', 'README.md', 'SECURITY.md', 'CHANGELOG.md', 'docs/errors.md', 'docs/options.md']
  for (const file of files) writeFileSync(join(root, file), readFileSync(join(ROOT, file)))
  const readme = (): string => readFileSync(join(root, 'README.md'), 'utf8')
  const before = readme()
  pack(root, kept)
  t.equal(readme(), published('README.md', before))
  pack(root, kept)
  restore(root, kept)
  t.equal(readme(), before)
  pack(root, kept)
  writeFileSync(join(root, 'README.md'), `${before}An edit.`)
  pack(root, kept)
  restore(root, kept)
  t.equal(readme(), `${before}An edit.`)
})

t.test('a package.json with a repository and without a homepage still packs', async t => {
  const root = t.testdir({ docs: {} })
  for (const file of ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'docs/errors.md', 'docs/options.md']) {
    writeFileSync(join(root, file), '[Keys](keys.md)')
  }
  writeFileSync(join(root, 'package.json'), '{ "repository": "a/b" }')
  pack(root, join(root, 'kept.json'))
  t.equal(readFileSync(join(root, 'docs/options.md'), 'utf8'), 'Keys (`docs/keys.md`)')
})
