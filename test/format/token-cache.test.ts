import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { TokenCache } from '../../lib/core/token-cache'
import { TokenKey, type TokenKeys } from '../../lib/core/token'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const KEY = new TokenKey(1, Buffer.alloc(32))

function keysOf (found: TokenKey | undefined): TokenKeys {
  return { sealing: () => KEY, find: () => found }
}

t.test('a token is found by its whole text, while its key opens', async t => {
  const cache = new TokenCache<string>(10)
  const token = `${'a'.repeat(100)}${'t'.repeat(22)}`
  cache.set(token, KEY, 'content')
  t.equal(cache.get(token, keysOf(KEY), 0), 'content')
  t.equal(cache.get(`b${token.slice(1)}`, keysOf(KEY), 0), undefined, 'the same tag behind another text')
  t.equal(cache.get(token, keysOf(undefined), 0), undefined, 'the key no longer opens')
  t.equal(cache.get(token, keysOf(new TokenKey(1, Buffer.alloc(32))), 0), undefined, 'another key has its id')
})

t.test('a token that is set again takes no more room', async t => {
  const cache = new TokenCache<number>(2)
  for (let time = 0; time < 5; time++) cache.set('a', KEY, time)
  cache.set('b', KEY, 9)
  t.strictSame([cache.get('a', keysOf(KEY), 0), cache.get('b', keysOf(KEY), 0)], [4, 9])
})

t.test('the oldest token makes room for another one', async t => {
  const cache = new TokenCache<number>(2)
  const tokens = ['a', 'b', 'c']
  tokens.forEach((token, index) => { cache.set(token, KEY, index) })
  t.strictSame(tokens.map(token => cache.get(token, keysOf(KEY), 0)), [undefined, 1, 2])
})

t.test('the text of all tokens takes 4 MB at most', async t => {
  const cache = new TokenCache<number>(1_000_000)
  const tokens = Array.from({ length: 1100 }, () => randomBytes(2048).toString('hex'))
  tokens.forEach((token, index) => { cache.set(token, KEY, index) })
  const kept = tokens.filter(token => cache.get(token, keysOf(KEY), 0) !== undefined)
  t.equal(kept.length, 1024)
  t.strictSame(kept, tokens.slice(-1024))
})

t.test('a token that was a part of a long header does not keep the header in memory', async t => {
  const cache = new TokenCache<number>(1000)
  const used = (): number => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = used()
  for (let index = 0; index < 1000; index++) {
    const header = Buffer.alloc(16_384, randomBytes(32).toString('hex')).toString('latin1')
    cache.set(header.slice(100, 220), KEY, index)
  }
  t.ok(used() - before < 4_000_000, 'and not 16 MB')
  t.equal(cache.get('', keysOf(KEY), 0), undefined)
})

t.test('a token is to be kept when it opens the second time', async t => {
  const cache = new TokenCache<number>(100)
  const token = randomBytes(100).toString('base64url')
  t.strictSame([cache.openedBefore(token), cache.openedBefore(token), cache.openedBefore(token)], [false, true, true])
  t.equal(cache.openedBefore(`${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`), false, 'another one')
  t.doesNotThrow(() => { cache.openedBefore('short') })
})

t.test('a token that opens again after many others is not kept: of a cycle of many, none would be found', async t => {
  const cache = new TokenCache<number>(100)
  const tokens = Array.from({ length: 1000 }, () => randomBytes(50).toString('base64url'))
  for (const token of tokens) cache.openedBefore(token)
  const again = tokens.filter(token => cache.openedBefore(token))
  t.ok(again.length < 30, `${again.length} of 1,000 are to be kept`)
})
