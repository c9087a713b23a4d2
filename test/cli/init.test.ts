import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { pathToFileURL } from 'node:url'
import { addRoutes, appWith, KEY, OTHER_KEY } from '../helpers/app'
import { FILE, Operator, RING } from './operator'

t.test('init makes a keyring with one active key, in a file that only its owner can read', async t => {
  const operator = new Operator(t)
  const out = await operator.do('init', ...RING)
  const [key] = operator.ring()
  t.match(key, { createdAtMs: operator.nowMs, activatesAtMs: operator.nowMs, expiresAtMs: null, revokedAtMs: null })
  t.match(out, new RegExp(`^Created keyring file .*keys\\.json\\.\nkey .*\n${key?.id} {2}active .*\n$`))
  t.equal(statSync(operator.path(FILE)).mode & 0o777, 0o600)
})

t.test('init --json prints the id, and the keys like list does', async t => {
  const operator = new Operator(t)
  const { id, keys } = await operator.ask<{ id: string, keys: unknown }>('init', ...RING)
  t.equal(operator.ring()[0]?.id, id)
  t.same((await operator.ask<{ keys: unknown }>('list', ...RING)).keys, keys)
})

t.test('init with several keys prints the id of each, its state, and until when it opens', async t => {
  const operator = new Operator(t)
  operator.secrets.push(KEY, OTHER_KEY)
  operator.env = { NEW: OTHER_KEY.toString('hex'), OLD: KEY.toString('hex') }
  const out = await operator.do('init', ...RING, '--key-env', 'NEW,OLD')
  const [sealing, former] = operator.ring().map(({ id }) => id)
  t.match(out, new RegExp(`\n${former} {2}retired .* 2026-05-30\n${sealing} {2}active .* no end\n$`))
  t.match(await operator.ask('init', '--keyring', 'other.json', '--key-env', 'NEW,OLD'), {
    id: sealing,
    keys: [{ id: former, state: 'retired', opensUntil: '2026-05-30T12:00:00.000Z' }, { id: sealing, state: 'active' }]
  })
})

t.test('init prints a path on one line, with any characters in it', async t => {
  const operator = new Operator(t)
  const name = 'a\n\u001b[2J\u009bb.json'
  t.match(await operator.do('init', '--keyring', name), /^Created keyring file .*a \\u001b\[2J\\u009bb\.json\.\n/)
  t.match(await operator.run('init', '--keyring', name), { status: 1, err: /^fastify-sealed-session: keyring file .*a \\u001b\[2J\\u009bb\.json exists.*\n$/ })
  t.equal(await operator.do('generate', '--out', 'k\r\n\u001b[1m'), 'Wrote a new key to k \\u001b[1m.\n')
})

t.test('init does not change an existing keyring', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  const text = readFileSync(operator.path(FILE), 'utf8')
  t.match(await operator.run('init', ...RING), { status: 1, out: '', err: /^fastify-sealed-session: keyring file .* exists, and was not changed\n$/ })
  t.equal(readFileSync(operator.path(FILE), 'utf8'), text)
})

t.test('init accepts a URL of the file', async t => {
  const operator = new Operator(t)
  await operator.do('init', '--keyring', pathToFileURL(operator.path(FILE)).href)
  t.equal(operator.ring().length, 1)
})

t.test('a user of the option "key" changes to a keyring, and no session is lost', async t => {
  const operator = new Operator(t)
  operator.secrets.push(KEY)
  const before = await appWith(t, { key: KEY })
  addRoutes(before)
  const cookie = String((await before.inject('/set/a/b')).headers['set-cookie']).split(';')[0] as string
  for (const [index, text] of [KEY.toString('base64url'), `${KEY.toString('base64')}\n`, KEY.toString('hex'), `\ufeff${KEY.toString('hex')}\r\n`].entries()) {
    operator.env = { SESSION_KEY: text }
    await operator.do('init', '--keyring', `${index}.json`, '--key-env', 'SESSION_KEY')
    const after = await appWith(t, { keyring: operator.path(`${index}.json`) })
    addRoutes(after)
    t.same((await after.inject({ url: '/get', headers: { cookie } })).json(), { a: 'b' })
  }
})

t.test('a user of an array of keys changes to a keyring: the first key seals, all keys open', async t => {
  const operator = new Operator(t)
  operator.nowMs = Date.now()
  operator.env = { NEW: OTHER_KEY.toString('hex'), OLD: KEY.toString('hex'), AGAIN: OTHER_KEY.toString('base64') }
  await operator.do('init', ...RING, '--key-env', 'NEW,OLD,AGAIN')
  t.strictSame(operator.ring().map(({ material }) => material), [OTHER_KEY, KEY])
  const after = await appWith(t, { keyring: operator.path(FILE) })
  addRoutes(after)
  for (const key of [KEY, OTHER_KEY]) {
    const before = await appWith(t, { key })
    addRoutes(before)
    const cookie = String((await before.inject('/set/a/b')).headers['set-cookie']).split(';')[0] as string
    t.same((await after.inject({ url: '/get', headers: { cookie } })).json(), { a: 'b' })
  }
  const sealed = String((await after.inject('/set/a/b')).headers['set-cookie']).split(';')[0] as string
  const newOnly = await appWith(t, { key: OTHER_KEY })
  addRoutes(newOnly)
  t.same((await newOnly.inject({ url: '/get', headers: { cookie: sealed } })).json(), { a: 'b' })
})

t.test('init prints one line for a variable without a key, and makes no keyring', async t => {
  const operator = new Operator(t)
  operator.env = { SHORT: 'c2hvcnQ', EMPTY: '' }
  for (const name of ['SHORT', 'EMPTY', 'MISSING']) {
    const { status, out, err } = await operator.run('init', ...RING, '--key-env', name)
    t.match({ status, out, err }, { status: 1, out: '', err: new RegExp(`^fastify-sealed-session: the environment variable ${name}.*\n$`) })
    t.notMatch(err, 'c2hvcnQ')
  }
  t.throws(() => operator.ring(), { code: 'ENOENT' })
})

t.test('init does not print a key that was given in place of the variable name', async t => {
  const operator = new Operator(t)
  operator.secrets.push(KEY)
  for (const text of [KEY.toString('base64url'), KEY.toString('hex')]) {
    t.match(await operator.run('init', ...RING, '--key-env', text), { status: 2, err: /takes the name of an environment variable/ })
  }
})

t.test('init does not change an existing file that is no keyring', async t => {
  const operator = new Operator(t)
  writeFileSync(operator.path(FILE), 'notes', { mode: 0o600 })
  t.match(await operator.run('init', ...RING), { status: 1, err: /exists/ })
  t.equal(readFileSync(operator.path(FILE), 'utf8'), 'notes')
  t.match(await operator.run('list', ...RING), { status: 1, out: '', err: /^fastify-sealed-session: keyring file .* is invalid.*\n$/ })
  mkdirSync(operator.path('folder'))
  t.match(await operator.run('init', '--keyring', 'folder'), { status: 1, err: /^fastify-sealed-session: keyring file .*\n$/ })
})
