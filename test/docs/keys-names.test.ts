import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { schedule } from '../../lib/keyring/schedule'
import { resolveOptions, type ResolvedSession } from '../../lib/options/options'
import { keyringLog } from '../../lib/plugin/keyring-log'
import { DEFAULT_REDIS_KEY } from '../../lib/stores/keyring-redis'
import { Operator } from '../cli/operator'
import { KEY } from '../helpers/app'
import { MemoryStore } from '../helpers/keyrings'
import { linesOf, PAGE, ROOT } from './keys-page'
import { CODES } from './page'

t.test('docs/keys.md: the table of options has exactly the options of the types', async t => {
  const types = readFileSync(join(ROOT, 'types/keyring.ts'), 'utf8')
  const namesOf = (name: string): string[] => linesOf(new RegExp(`interface ${name} \\{([^]*?)\n\\}`).exec(types)?.[1] as string, /^ {2}(\w+)\??:/gm)
  const expected = [
    'keyring', 'reloadEvery', ...namesOf('Rotation').map(name => `rotation.${name}`),
    ...namesOf('FileKeyringOptions'), ...namesOf('RedisKeyringOptions')
  ]
  const [, table] = /The options of a keyring:\n\n[^\n]*\n[^\n]*\n((?:\|.*\n)+)/.exec(PAGE) as unknown as [string, string]
  t.strictSame(linesOf(table, /^\| `([\w.]+)`/gm), expected)
  const options = readFileSync(join(ROOT, 'types/options.ts'), 'utf8')
  for (const name of ['keyring', 'reloadEvery', 'rotation', 'key', 'secret']) t.match(options, new RegExp(`^ {2}${name}\\?:`, 'm'), name)
  for (const name of linesOf(PAGE, /`(?:rotation)\.(\w+)`/g)) t.ok(namesOf('Rotation').includes(name), name)
  t.match(PAGE, DEFAULT_REDIS_KEY)
})

t.test('docs/keys.md: every error code exists', async t => {
  const named = [...new Set(PAGE.match(/FST_SESSION_[A-Z_]+/g))]
  t.strictSame(named.filter(code => !CODES.includes(code)), [])
  t.ok(named.includes('FST_SESSION_INVALID_KEYRING') && named.includes('FST_SESSION_KEYRING_UNAVAILABLE'))
})

t.test('docs/keys.md: the table of messages has what the plugin logs, with its levels', async t => {
  const logged: string[] = []
  const write = (level: string) => (_fields: object, message: string) => {
    logged.push(`${level} ${message.split(':', 1)[0] as string}`)
  }
  const [{ options }] = resolveOptions({ key: KEY }, 0) as [ResolvedSession]
  const reporter = keyringLog({ info: write('info'), warn: write('warn') } as never, options, new MemoryStore(null))
  const dates = { revokedAtMs: null, createdAtMs: 0 }
  reporter.replaced(schedule([
    { ...dates, id: '00000001', activatesAtMs: 0, expiresAtMs: 2000 },
    { ...dates, id: '00000002', activatesAtMs: 1000, expiresAtMs: null }
  ]), 0)
  for (const report of [reporter.failed, reporter.rotationFailed]) report(new Error('read-only'))
  for (const report of [reporter.recovered, reporter.rotated]) report()
  const listed = Array.from(PAGE.matchAll(/^\| (info|warn) \| `([^`]+)` \|/gm), ([, level, message]) => `${level as string} ${message as string}`)
  t.equal(listed.length, 6)
  t.strictSame(listed.sort(), logged.sort())
})

t.test('docs/keys.md: the table of states has exactly the states of the code', async t => {
  const source = readFileSync(join(ROOT, 'lib/keyring/schedule.ts'), 'utf8')
  const states = linesOf(/type KeyState = (.*)/.exec(source)?.[1] as string, /'(\w+)'/g)
  t.strictSame(linesOf(PAGE, /^\| (pending|active|retired|expired|revoked) \|/gm), states)
})

t.test('docs/keys.md: every command and every option of a command exists', async t => {
  const operator = new Operator(t)
  const used = linesOf(PAGE, /npx fastify-sealed-session ([^\n`|&]+)/g)
  t.ok(used.length > 15)
  const help = new Map<string, string>()
  for (const line of used) {
    const [command = '', ...words] = line.trim().split(/\s+/)
    if (!help.has(command)) help.set(command, await operator.do(command, '--help'))
    for (const option of words.filter(word => word.startsWith('--'))) t.match(help.get(command), option, `${command} ${option}`)
  }
  const all = [...help.values(), await operator.do('prune', '--help'), await operator.do('--help')].join('\n')
  for (const option of linesOf(PAGE, /`(?:\w+ )?(--[a-z-]+)/g)) t.match(all, option)
  for (const command of linesOf(PAGE, /`(init|list|rotate|revoke|prune)[` ]/g)) t.match(all, command)
})

t.test('docs/keys.md: every link has a target', async t => {
  const slug = (heading: string): string => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')
  const anchorsOf = (file: string): string[] => linesOf(readFileSync(join(ROOT, 'docs', file), 'utf8'), /^#+ (.*)$/gm).map(slug)
  for (const link of linesOf(PAGE, /\]\(([^)]+)\)/g)) {
    const [file, anchor] = link.split('#') as [string, string?]
    t.ok(file === '' || readdirSync(join(ROOT, 'docs')).includes(file), link)
    if (anchor !== undefined) t.ok(anchorsOf(file === '' ? 'keys.md' : file).includes(anchor), link)
  }
})

t.test('docs/keys.md: the picture is small, has a text description, and loads nothing', async t => {
  const picture = readFileSync(join(ROOT, 'docs/key-life.svg'), 'utf8')
  t.ok(Buffer.byteLength(picture) <= 12 * 1024)
  t.match(picture, /<title id="title">/)
  t.match(picture, /<desc id="desc">/)
  t.notMatch(picture, /href|@import|@font-face|<script|<image|url\((?!#)/)
  for (const word of ['pending', 'active', 'retired', 'expired', 'activate-in', 'keep-for', 'rotate']) t.match(picture, word)
})
