import t from 'tap'
import { Operator } from './operator'

const { version } = require('../../package.json') as { version: string }
const COMMANDS = ['generate', 'init', 'list', 'rotate', 'revoke', 'prune', 'rewrap', 'inspect']

t.test('help lists commands and key states, a first rotation, and what to do after a leak', async t => {
  const operator = new Operator(t)
  for (const args of [['--help'], ['-h'], ['help'], ['help', '--help'], ['--help', '-h']]) {
    const { status, out, err } = await operator.run(...args)
    t.match({ status, out, err }, { status: 0, out: /^Usage: fastify-sealed-session <command>/, err: '' })
    for (const text of [...COMMANDS, 'SESSION_KEY', 'pending', 'active', 'retired', 'expired', 'revoked', 'cron', 'leaked', 'Exit status']) t.match(out, text)
  }
})

t.test('each command has its own help, in every form of the request', async t => {
  const operator = new Operator(t)
  for (const command of COMMANDS) {
    const out = await operator.do('help', command)
    t.match(out, new RegExp(`^Usage: fastify-sealed-session ${command}[^]*Options:[^]*--json[^]*--help`))
    for (const args of [[command, '--help'], [command, '-h'], ['--help', command], [command, '--nonsense', '--help']]) t.equal(await operator.do(...args), out)
  }
})

t.test('the help of a command lists its options with their defaults', async t => {
  const operator = new Operator(t)
  t.match(await operator.do('help', 'generate'), /--out FILE[^]*PowerShell|PowerShell[^]*--out FILE/)
  t.match(await operator.do('help', 'init'), /--write [^]*--key-env NAME/)
  t.match(await operator.do('help', 'rotate'), /--activate-in DURATION.*default 1h\n[^]*--keep-for DURATION[^]*default 90d/)
  t.match(await operator.do('help', 'list'), /--keyring FILE[^]*--redis URL[^]*--redis-env NAME[^]*--redis-key KEY.*default fastify-sealed-session:keyring/)
  t.match(await operator.do('help'), '--redis-env NAME')
  t.match(await operator.do('help', 'inspect'), /bare token[^]*name=value; name=value/)
  t.notMatch(await operator.do('help', 'generate'), 'print\nnothing')
  t.match(await operator.do('help', 'revoke'), 'in Kubernetes')
  t.match(await operator.do('help', 'prune'), /--revoked/)
  t.match(await operator.do('help', 'inspect'), /--cookie-name NAME[^]*--show/)
})

t.test('help fits a terminal of 80 columns, in ASCII', async t => {
  const operator = new Operator(t)
  for (const args of [['help'], ...COMMANDS.map(command => ['help', command])]) {
    const out = await operator.do(...args)
    t.match(out, /^[\n -~]*\n$/)
    for (const line of out.split('\n')) t.ok(line.length <= 80, `${line.length}: ${line}`)
  }
})

t.test('--version prints the version', async t => {
  t.equal(await new Operator(t).do('--version'), `${version}\n`)
})
