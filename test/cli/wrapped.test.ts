import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import secureSession from '../../index'
import { parseKeyring, type KeyRecord } from '../../lib/keyring/document'
import { FILE, Operator, RING } from './operator'

/** A wrapping key in a module of its own: text of hex digits, under the newest mask of `masks.json`. */
const MODULE = `
import { readFileSync } from 'node:fs'
const masks = () => JSON.parse(readFileSync(new URL('masks.json', import.meta.url), 'utf8'))
const masked = (bytes, mask) => Buffer.from(bytes.map(byte => byte ^ mask))
export const wrap = async key => {
  const mask = masks().at(-1)
  return mask + ' ' + masked(key, mask).toString('hex')
}
export const unwrap = async wrapped => {
  const [mask, hex] = wrapped.toString().split(' ')
  if (!masks().includes(Number(mask))) throw new Error('no such wrapping key')
  return masked(Buffer.from(hex, 'hex'), Number(mask))
}
`
const WRAPPED = [...RING, '--wrapping', 'kms.mjs']

function operatorWithKms (t: Test): Operator {
  const operator = new Operator(t)
  writeFileSync(operator.path('kms.mjs'), MODULE)
  setMasks(operator, 1)
  return operator
}

function setMasks (operator: Operator, ...masks: number[]): void {
  writeFileSync(operator.path('masks.json'), JSON.stringify(masks))
}

/** The keys of the keyring, as a server with this module reads them. */
async function keysOf (operator: Operator): Promise<KeyRecord[]> {
  const kms = await import(pathToFileURL(operator.path('kms.mjs')).href)
  const keyring = secureSession.wrappedKeyring(secureSession.fileKeyring(operator.path(FILE)), kms)
  return parseKeyring(await keyring.read() as string)
}

t.test('with --wrapping, init, list, rotate, revoke and prune use a wrapped keyring', async t => {
  const operator = operatorWithKms(t)
  t.match(await operator.do('init', ...WRAPPED), /^Created wrapped keyring file .*keys\.json\.\n/)
  t.notMatch(readFileSync(operator.path(FILE), 'utf8'), '"keys"')
  const [first] = await keysOf(operator) as [KeyRecord]
  operator.secrets.push(first.material)
  await operator.do('rotate', ...WRAPPED, '--now')
  operator.nowMs += 1000
  t.equal((await keysOf(operator)).length, 2)
  t.match(await operator.do('list', ...WRAPPED), `${first.id}  retired`)
  t.match(await operator.do('revoke', first.id, ...WRAPPED), `Revoked key ${first.id}`)
  t.match(await operator.do('prune', ...WRAPPED, '--revoked'), `Removed: ${first.id}.`)
  t.equal((await keysOf(operator)).length, 1)
  t.match((await operator.run('list', ...RING)).err, /is invalid/, 'without --wrapping it cannot be read')
})

t.test('rewrap changes the wrapping key, and the keys stay', async t => {
  const operator = operatorWithKms(t)
  await operator.do('init', ...WRAPPED)
  const before = await keysOf(operator)
  operator.secrets.push(...before.map(({ material }) => material))
  setMasks(operator, 1, 2)
  t.match(await operator.do('rewrap', ...WRAPPED), /^Wrapped keyring file .*keys\.json\.\n$/)
  setMasks(operator, 2)
  t.strictSame(await keysOf(operator), before)
  t.strictSame(await operator.ask('rewrap', ...WRAPPED), { rewrapped: true })
})

t.test('rewrap wraps a keyring that is plain text', async t => {
  const operator = operatorWithKms(t)
  await operator.do('init', ...RING)
  const before = operator.ring()
  t.match((await operator.run('list', ...WRAPPED)).err, /not wrapped yet: wrap it with "npx fastify-sealed-session rewrap --wrapping FILE"/)
  await operator.do('rewrap', ...WRAPPED)
  t.strictSame(await keysOf(operator), before)
})

t.test('a module of CommonJS, or with a default export, is as good', async t => {
  const operator = operatorWithKms(t)
  writeFileSync(operator.path('default.mjs'), "import * as kms from './kms.mjs'\nexport default kms")
  writeFileSync(operator.path('kms.cjs'), `module.exports = {
    wrap: async key => (await import('./kms.mjs')).wrap(key), unwrap: async key => (await import('./kms.mjs')).unwrap(key)
  }`)
  await operator.do('init', ...WRAPPED)
  for (const module of ['default.mjs', './kms.cjs', operator.path('kms.mjs')]) {
    t.match(await operator.do('list', ...RING, '--wrapping', module), 'active')
  }
})

t.test('what is wrong with a module of --wrapping is one line, and changes nothing', async t => {
  const operator = operatorWithKms(t)
  await operator.do('init', ...WRAPPED)
  const text = readFileSync(operator.path(FILE), 'utf8')
  writeFileSync(operator.path('none.mjs'), 'export const wrap = () => {}')
  writeFileSync(operator.path('wrong.mjs'), "throw new Error('wrong module')")
  const errors: ReadonlyArray<readonly [string[], number, RegExp]> = [
    [['rotate', ...RING, '--wrapping', 'none.mjs'], 2, /the module of --wrapping must export an object with the functions wrap and unwrap/],
    [['rotate', ...RING, '--wrapping', 'wrong.mjs'], 1, /"wrong.mjs" of --wrapping cannot be loaded: wrong module/],
    [['rotate', ...RING, '--wrapping', 'missing.mjs'], 1, /"missing.mjs" of --wrapping cannot be loaded: Cannot find module/],
    [['rotate', ...RING, '--wrapping'], 2, /--wrapping needs a value/],
    [['rewrap', ...RING], 2, /--wrapping FILE is missing/]
  ]
  for (const [args, status, message] of errors) {
    const ran = await operator.run(...args)
    t.equal(ran.status, status, args.join(' '))
    t.match(ran.err, message)
    t.equal(ran.err.trimEnd().split('\n').length, 1)
  }
  setMasks(operator, 7)
  t.match((await operator.run('rotate', ...WRAPPED)).err, /cannot be unwrapped: no such wrapping key/)
  t.match((await operator.run('rewrap', ...WRAPPED)).err, /cannot be unwrapped: no such wrapping key/)
  t.equal(readFileSync(operator.path(FILE), 'utf8'), text)
})
