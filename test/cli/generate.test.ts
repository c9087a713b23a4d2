import { readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { addRoutes, appWith } from '../helpers/app'
import { Operator } from './operator'

t.test('generate prints a key as one line of text that the plugin accepts', async t => {
  const { status, out, err } = await new Operator(t).run('generate')
  t.match({ status, out, err }, { status: 0, out: /^[\w-]{43}\n$/, err: '' })
  const app = await appWith(t, { key: out })
  addRoutes(app)
  t.equal((await app.inject('/set/a/b')).statusCode, 200)
})

t.test('generate prints a different key each time', async t => {
  const operator = new Operator(t)
  const keys = await Promise.all(Array.from({ length: 100 }, async () => await operator.do('generate')))
  t.equal(new Set(keys).size, 100)
})

t.test('generate --json prints the key as JSON', async t => {
  t.match(await new Operator(t).ask('generate'), { key: /^[\w-]{43}$/ })
})

t.test('generate --out writes the key to a file that only its owner can read, and does not print it', async t => {
  const operator = new Operator(t)
  const out = await operator.do('generate', '--out', 'key.txt')
  const text = readFileSync(operator.path('key.txt'), 'utf8')
  t.match(text, /^[\w-]{43}\n$/)
  t.equal(statSync(operator.path('key.txt')).mode & 0o777, 0o600)
  t.equal(out, 'Wrote a new key to key.txt.\n')
  t.same(await operator.ask('generate', '--out', 'other.txt'), { file: 'other.txt' })
})

t.test('generate --out does not change an existing file', async t => {
  const operator = new Operator(t)
  await operator.do('generate', '--out', 'key.txt')
  const text = readFileSync(operator.path('key.txt'), 'utf8')
  t.match(await operator.run('generate', '--out', 'key.txt'), { status: 1, out: '', err: /^fastify-sealed-session: EEXIST: .*key\.txt'\n$/ })
  t.equal(readFileSync(operator.path('key.txt'), 'utf8'), text)
})

t.test('generate --out prints one line if the file cannot be written', async t => {
  t.match(await new Operator(t).run('generate', '--out', 'nowhere/key.txt'), { status: 1, out: '', err: /^fastify-sealed-session: ENOENT: .*\n$/ })
})
