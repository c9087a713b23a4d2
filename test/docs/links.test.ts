import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import t from 'tap'
import { ROOT } from './page'

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

// A picture that is left out still has its text. The README is read on hosts, which find its links in the repository.
t.test('links of the published Markdown lead to published files', async t => {
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] }
  const isIn = (file: string, names: readonly string[]): boolean => {
    return names.some(name => file === name || file.startsWith(`${name}/`))
  }
  const left = files.filter(name => name.startsWith('!')).map(name => name.slice(1))
  const always = ['README.md', 'LICENSE', 'package.json']
  const isPublished = (file: string): boolean => isIn(file, [...always, ...files]) && !isIn(file, left)
  const wrong: string[] = []
  for (const [file, { links }] of PAGES) {
    if (!isPublished(file) || file === 'README.md') continue
    for (const link of links) {
      const target = targetOf(file, link)
      if (target !== null && !isPublished(target)) wrong.push(`${file}: ${link}`)
    }
  }
  t.strictSame(wrong, [])
})
