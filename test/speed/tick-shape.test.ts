import { AsyncLocalStorage, executionAsyncResource } from 'node:async_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { keepTickShape, kept } from '../../lib/tick-shape'
import '../../index'

setFlagsFromString('--expose-gc')
setFlagsFromString('--allow-natives-syntax')
const collect = runInNewContext('gc') as () => void
const haveOneShape = runInNewContext('(a, b) => %HaveSameMap(a, b)') as (a: object, b: object) => boolean

const tick = (): Promise<object> => new Promise(resolve => { process.nextTick(() => { resolve(executionAsyncResource()) }) })
const turn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

t.test('one tick is kept, and has the shape of all, so that no collection of garbage makes V8 forget it', async t => {
  await tick()
  const first = kept.tick as object
  t.type(first, Object)
  collect()
  t.equal(haveOneShape(first, await tick()), true)
  t.equal(haveOneShape(first, {}), false)
  t.equal(kept.tick, first)
})

t.test('it keeps nothing of whoever loaded the package', async t => {
  const storage = new AsyncLocalStorage<object>()
  const keepInside = (): WeakRef<object> => {
    const store = { of: 'a request' }
    storage.run(store, keepTickShape)
    return new WeakRef(store)
  }
  const before = kept.tick
  const store = keepInside()
  await turn()
  t.not(kept.tick, before)
  for (let turns = 0; turns < 10 && store.deref() !== undefined; turns++) {
    await turn()
    collect()
  }
  t.equal(store.deref(), undefined)
})

t.test('where a test calls in the place of Node.js, it leaves alone what it finds', async t => {
  const before = kept.tick
  const calls: Array<() => void> = []
  t.intercept(process, 'nextTick', { value: (call: () => void) => { calls.push(call) } })
  keepTickShape()
  const resource = executionAsyncResource()
  const keys = Reflect.ownKeys(resource).map(key => [key, (resource as Record<string | symbol, unknown>)[key]])
  for (const call of calls) call()
  t.equal(kept.tick, before)
  t.strictSame(Reflect.ownKeys(resource).map(key => [key, (resource as Record<string | symbol, unknown>)[key]]), keys)
})
