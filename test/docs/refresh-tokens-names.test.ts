import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { blocks, PAGE, ROOT } from './refresh-tokens-page'
import { CODES } from './page'

/** What the page names exists, and what there is to name is on it. */

const typesIn = (file: string): string => readFileSync(join(ROOT, 'types', file), 'utf8')

function namesIn (source: string, pattern: RegExp): string[] {
  return [...new Set(Array.from(source.matchAll(pattern), ([, name]) => name as string))]
}

function membersOf (source: string, name: string): string[] {
  return namesIn(new RegExp(`interface ${name}[^{]*\\{([^]*?)\n\\}`).exec(source)?.[1] as string, /^ {2}(?:readonly )?(\w+)\??(?::| \(|<)/gm)
}

t.test('docs/refresh-tokens.md: the table of options has exactly the options of the types', async t => {
  const [, table] = /\| `revocation` \| default \| meaning \|\n\|[-|]+\n((?:\|.*\n)+)/.exec(PAGE) as unknown as [string, string]
  t.strictSame(namesIn(table, /^\| `(\w+)`/gm), membersOf(typesIn('revocation.ts'), 'RevocationOptions'))
  for (const name of namesIn(PAGE, /\((?:`max`|a `prefix`)\)|`(max|prefix)`/g).filter(Boolean)) t.match(typesIn('revocation.ts'), `  ${name}?:`, name)
})

t.test('docs/refresh-tokens.md: the table of events has the events of the types, with their fields', async t => {
  const types = typesIn('events.ts')
  const channels = namesIn(types, /^ {2}'fastify-sealed-session:(\w+)'/gm)
  t.strictSame(namesIn(PAGE, /^\| `(\w+)` \| .* \| .*`session`.* \|$/gm), channels)
  for (const channel of channels) {
    const [, says] = new RegExp(`^\\| \`${channel}\` \\| .* \\| (.*) \\|$`, 'm').exec(PAGE) as unknown as [string, string]
    for (const name of membersOf(types, `${channel[0]?.toUpperCase() ?? ''}${channel.slice(1)}Event`)) t.match(says, `\`${name}\``, `${channel} ${name}`)
  }
  for (const reason of ['revoked', 'forged', 'unknown-key']) t.match(types, `'${reason}'`)
})

t.test('docs/refresh-tokens.md: every method, option of a guard and error code exists', async t => {
  const session = typesIn('session.ts')
  for (const name of namesIn(PAGE, /(?:`|session\.)(delete|revoke|revokeOthers|regenerate)\(/g)) t.match(session, new RegExp(`^ {2}${name} \\(`, 'm'), name)
  for (const name of namesIn(PAGE, /\binfo\.(\w+)/g)) t.ok(membersOf(session, 'SessionInfo').includes(name), name)
  const control = ['SecureSessionControl', 'TenantControl'].flatMap(name => membersOf(typesIn('control.ts'), name))
  for (const name of namesIn(PAGE, /secureSession\.(\w+)\(/g)) t.ok(control.includes(name), name)
  for (const name of ['when', 'freshWithin']) t.ok(membersOf(typesIn('guard.ts'), 'GuardOptions').includes(name) && PAGE.includes(name), name)
  for (const name of ['requireSession', 'sessionGuard', 'decodeSecureSession']) t.match(typesIn('fastify.ts'), `    ${name}`, name)
  for (const name of membersOf(typesIn('revocation.ts'), 'RevocationStore').filter(name => name !== 'name')) t.match(PAGE, `\`${name}(`, name)
  for (const code of PAGE.match(/FST_SESSION_[A-Z_]+/g) as string[]) t.ok(CODES.includes(code), code)
})

t.test('docs/refresh-tokens.md: the defaults are those of the code', async t => {
  const options = readFileSync(join(ROOT, 'lib/options/revocation.ts'), 'utf8')
  t.match(options, 'DEFAULT_RECHECK_MS = 5 * MINUTE_MS')
  t.match(options, 'DEFAULT_TIMEOUT_MS = SECOND_MS / 2')
  t.match(options, "onError = 'refuse'")
  t.match(readFileSync(join(ROOT, 'lib/stores/revocation-memory.ts'), 'utf8'), '100_000')
  t.match(readFileSync(join(ROOT, 'lib/stores/revocation-redis.ts'), 'utf8'), "'fastify-sealed-session:cut-off:'")
  t.match(readFileSync(join(ROOT, 'lib/revocation/revocation-cache.ts'), 'utf8'), 'MOST_ENTRIES = 20_000')
  t.match(readFileSync(join(ROOT, 'lib/revocation/circuit-breaker.ts'), 'utf8'), 'MOST_TIMEOUTS = 3')
})

t.test('docs/refresh-tokens.md: every link has a target', async t => {
  const slug = (heading: string): string => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')
  const anchorsOf = (page: string): string[] => namesIn(page, /^#+ (.*)$/gm).map(slug)
  for (const link of namesIn(PAGE, /\]\(([^)]+)\)/g).filter(link => !link.startsWith('https://www.rfc-editor.org/'))) {
    const [path = '', anchor] = link.split('#')
    t.ok(existsSync(join(ROOT, 'docs', path)), link)
    if (anchor === undefined) continue
    t.ok(anchorsOf(path === '' ? PAGE : readFileSync(join(ROOT, 'docs', path), 'utf8')).includes(anchor), link)
  }
})

t.test('docs/refresh-tokens.md: the picture is small, has a text description, and loads nothing', async t => {
  const picture = readFileSync(join(ROOT, 'docs/refresh-window.svg'), 'utf8')
  t.ok(Buffer.byteLength(picture) <= 12 * 1024)
  t.match(picture, /<title id="title">/)
  t.match(picture, /<desc id="desc">/)
  t.notMatch(picture, /href|@import|@font-face|<script|<image|url\((?!#)/)
})

t.test('docs/refresh-tokens.md: every block of code is run by a test of this page', async t => {
  t.equal(blocks('js').length, 10)
  t.equal(blocks('sh').length, 1)
  t.equal(PAGE.match(/^```\w+$/gm)?.length, 11)
  t.ok(PAGE.split('\n').length <= 450)
})
