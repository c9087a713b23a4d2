import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import t from 'tap'
import { ROOT } from './page'

const { published } = require('../../build/pages') as { published: (file: string, text: string, address?: string) => string }
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
