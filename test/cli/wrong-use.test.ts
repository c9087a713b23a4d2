import { existsSync, readdirSync } from 'node:fs'
import t from 'tap'
import { KEY } from '../helpers/app'
import { Operator, RING, writeEveryState } from './operator'

const WRONG: ReadonlyArray<readonly [args: string[], what: RegExp, see: string]> = [
  [[], /a command is missing/, '--help'],
  [['generte'], /there is no command "generte"/, '--help'],
  [['help', 'generte'], /there is no command "generte"/, '--help'],
  [['--key'], /there is no command "--key"/, '--help'],
  [['generate', 'now'], /generate takes no argument; found "now"/, '"fastify-sealed-session generate --help"'],
  [['generate', '--length=64'], /generate has no option "--length"/, 'generate'],
  [['generate', '-x'], /generate has no option "-x"/, 'generate'],
  [['generate', '--out'], /--out needs a value/, 'generate'],
  [['generate', '--out='], /--out needs a value/, 'generate'],
  [['generate', '--out', '--json'], /--out needs a value; see/, 'generate'],
  [['generate', '--json=yes'], /--json takes no value/, 'generate'],
  [['generate', '--json', '--json'], /--json was given twice/, 'generate'],
  [['list'], /which keyring\? Give --keyring or --redis/, 'list'],
  [['list', ...RING, '--redis', 'redis://localhost'], /only one of --keyring or --redis/, 'list'],
  [['list', '--keyring', 'file://elsewhere/keys.json'], /must be given as a path/, 'list'],
  [['list', ...RING, '--redis-key', 'k'], /--redis-key needs --redis or --redis-env/, 'list'],
  [['list', '--redis', 'redis://localhost', '--redis-env', 'REDIS_URL'], /only one of --keyring or --redis or --redis-env/, 'list'],
  [['list', '--redis-env', 'NOT A NAME'], /--redis-env takes the name of an environment variable/, 'list'],
  [['list', '--redis-env', 'REDIS_URL', '--others-may-read'], /--others-may-read needs --keyring/, 'list'],
  [['list', '--redis', 'redis://localhost', '--others-may-read'], /--others-may-read needs --keyring/, 'list'],
  [['rotate', ...RING, '--now', '--activate-in', '1h'], /only one of --now or --activate-in/, 'rotate'],
  [['rotate', ...RING, '--activate-in', '60'], /--activate-in takes a duration.*found "60"/, 'rotate'],
  [['rotate', ...RING, '--activate-in', 'soon'], /--activate-in takes a duration/, 'rotate'],
  [['rotate', ...RING, '--activate-in=-1h'], /--activate-in takes a duration/, 'rotate'],
  [['rotate', ...RING, '--activate-in', '0s'], /--activate-in takes a duration.*found "0s"/, 'rotate'],
  [['rotate', ...RING, '--activate-in', '0'], /--activate-in takes a duration/, 'rotate'],
  [['rotate', ...RING, '--activate-in', '0 parsecs'], /--activate-in takes a duration/, 'rotate'],
  [['rotate', ...RING, '--keep-for', '0d'], /--keep-for takes a duration/, 'rotate'],
  [['revoke', ...RING], /revoke needs <id>/, 'revoke'],
  [['revoke', '1a2b3c4d', '2a2b3c4d', ...RING], /revoke takes <id>; found "2a2b3c4d"/, 'revoke'],
  [['init', ...RING, '--write'], /--write is for an app, without the options of a keyring/, 'init'],
  [['init', '--key-env', 'SESSION_KEY'], /which keyring\? Give --keyring or --redis/, 'init'],
  [['init', ...RING, '--key-env', 'NOT A NAME'], /--key-env takes the name of an environment variable/, 'init']
]

t.test('wrong use is one line with the error and the help command, and status 2', async t => {
  const operator = new Operator(t)
  for (const [args, what, see] of WRONG) {
    const { status, out, err } = await operator.run(...args)
    t.match({ status, out, err }, { status: 2, out: '', err: what }, args.join(' '))
    t.match(err, /^fastify-sealed-session: .*; see .*\n$/)
    t.match(err, see)
  }
})

t.test('wrong use does not change the keyring', async t => {
  const operator = new Operator(t)
  writeEveryState(operator)
  const before = operator.ring()
  for (const [args] of WRONG) await operator.run(...args)
  t.same(operator.ring(), before)
})

t.test('an argument in the wrong place may be a secret, so it is not printed', async t => {
  const operator = new Operator(t)
  operator.secrets.push(KEY)
  const key = KEY.toString('base64url')
  for (const args of [[key], ['help', key], [`--${key}`], ['generate', key], ['generate', `--${key}`], ['init', ...RING, key], ['revoke', 'x', key], ['rotate', ...RING, '--keep-for', key]]) {
    t.match(await operator.run(...args), { status: 2, err: /text of \d+ characters/ })
  }
  t.match(await operator.run('generate', '\u001b[2Jx'), { status: 2, err: /text of 5 characters/ })
})

t.test('a value of --keyring that is not a path may be a secret: it is not printed, and no file is made', async t => {
  const operator = new Operator(t)
  operator.secrets.push(KEY)
  operator.env = { OTHER: KEY.toString('hex') }
  const wrong = [
    'redis://:s3cret@localhost/0', 'rediss:s3cret@localhost', 'REDIS://:s3cret@localhost', 'http://user:s3cret@localhost', 'file:s3cret@localhost%2Fx', 'file://s3cret/keys.json',
    KEY.toString('base64url'), KEY.toString('base64'), KEY.toString('hex'), KEY.toString('hex').toUpperCase()
  ]
  for (const path of wrong) {
    for (const args of [['init', '--keyring', path], ['list', `--keyring=${path}`], ['rotate', '--keyring', path]]) {
      const { status, out, err } = await operator.run(...args)
      t.match({ status, out, err }, { status: 2, out: '', err: /^fastify-sealed-session: .*path.*(--redis|--key-env).*\n$/ }, path)
      t.notMatch(err, /s3cret/i)
    }
  }
  t.strictSame(readdirSync(operator.folder), [])
})

t.test('a path may contain spaces, accents, or a drive letter', async t => {
  const operator = new Operator(t)
  for (const path of ['my keys.json', 'schlüssel-鍵.json', 'C:\\keys.json', './redis', `${KEY.toString('hex')}.json`]) {
    await operator.do('init', '--keyring', path)
    t.ok(existsSync(operator.path(path)), path)
  }
})

t.test('after -- no argument is an option', async t => {
  const operator = new Operator(t)
  t.match(await operator.run('revoke', ...RING, '--', '--now'), { status: 2, err: /8 hex digits/ })
})
