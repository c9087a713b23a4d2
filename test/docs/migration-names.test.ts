import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { blocks, PAGE, ROOT } from './migration-page'
import { CODES } from './page'

/** What the page names exists, and what there is to name is on it. */

const PEER_TYPES = readFileSync(join(ROOT, 'node_modules/@fastify/secure-session/types/index.d.ts'), 'utf8')

/** The items of the list under this heading. */
function list (heading: string): string {
  return (PAGE.split(`#### ${heading}\n`)[1] as string).split(/^#/m)[0] as string
}

function namesIn (source: string, pattern: RegExp): string[] {
  return [...new Set(Array.from(source.matchAll(pattern), ([, name]) => name as string))]
}

t.test('docs/migration.md: the list of options has all options of the old library', async t => {
  const options = namesIn(/type SecureSessionPluginOptions = ([^]*?)\n\n/.exec(PEER_TYPES)?.[1] as string, /(\w+)\??:/g)
  t.ok(options.length >= 7)
  for (const name of [...options, 'cookieOptions']) t.match(list('Options'), new RegExp(`^- [^:]*\`${name}\``, 'm'), name)
})

t.test('docs/migration.md: the list of methods has all methods of the old library', async t => {
  const session = namesIn(/type Session<T = SessionData> = ([^]*?)\n {2}\}/.exec(PEER_TYPES)?.[1] as string, /^ {4}(\w+)[<(:]/gm)
  const app = namesIn(/interface FastifyInstance \{([^]*?)\n {2}\}/.exec(PEER_TYPES)?.[1] as string, /^ {4}(\w+)\(/gm)
  t.ok(session.length === 9 && app.length === 3)
  for (const name of [...session, ...app]) t.match(list('Methods'), new RegExp(`^- [^:]*\`${name}[\`(]`, 'm'), name)
})

t.test('docs/migration.md: the options of openers and the error codes exist', async t => {
  const types = readFileSync(join(ROOT, 'types/legacy.ts'), 'utf8')
  const own = namesIn(types, /^ {2}(?:readonly )?(\w+)\??(?::| \()/gm)
  for (const name of own.filter(name => !['data', 'isSealed'].includes(name))) t.match(PAGE, new RegExp(`\`${name}[\`(:]|\\b${name}: `), name)
  for (const code of PAGE.match(/FST_SESSION_[A-Z_]+/g) as string[]) t.ok(CODES.includes(code), code)
})

t.test('docs/migration.md: every link has a target', async t => {
  const slug = (heading: string): string => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')
  const anchors = namesIn(PAGE, /^#+ (.*)$/gm).map(slug)
  for (const link of namesIn(PAGE, /\]\(([^)]+)\)/g)) {
    if (link.startsWith('#')) t.ok(anchors.includes(link.slice(1)), link)
    else t.ok(existsSync(join(ROOT, 'docs', link)), link)
  }
})

t.test('docs/migration.md: every block of code is run by a test of this page', async t => {
  t.equal(blocks('diff').length, 1)
  t.equal(blocks('js').length, 7)
  t.equal(blocks('ts').length, 2)
  t.equal(PAGE.match(/^```\w+$/gm)?.length, 10)
})
