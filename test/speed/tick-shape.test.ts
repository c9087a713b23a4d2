import { executionAsyncResource } from 'node:async_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { kept } from '../../lib/tick-shape'
import '../../index'

const tick = (): Promise<object> => new Promise(resolve => { process.nextTick(() => { resolve(executionAsyncResource()) }) })

t.test('one tick is kept, and has the shape of all, so that no collection of garbage makes V8 forget it', async t => {
  setFlagsFromString('--expose-gc')
  setFlagsFromString('--allow-natives-syntax')
  const collect = runInNewContext('gc') as () => void
  const haveOneShape = runInNewContext('(a, b) => %HaveSameMap(a, b)') as (a: object, b: object) => boolean
  await tick()
  const first = kept.tick as object
  t.type(first, Object)
  collect()
  t.equal(haveOneShape(first, await tick()), true)
  t.equal(haveOneShape(first, {}), false)
  t.equal(kept.tick, first)
})
