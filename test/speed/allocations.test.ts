import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { plainEnv } from '../helpers/process'

interface Bytes {
  readonly heap: number
  /** In the memory of Buffers. */
  readonly buffers: number
}

/**
 * Bytes that the package may add to a request with a session of 416 bytes, on V8's heap and in Buffers. Behind each, what was found on
 * Node.js 20.20, 22.23 and 24.22, idle and beside three busy processes: on one version they differ by 16 bytes of the heap at most,
 * a write by 48; a later version takes up to 640 less. The room left is about two objects of three fields, 64 bytes each, or a view of a
 * Buffer, 96. So this fails as well, and each time, where a new version of Node.js or Fastify takes more.
 * Buffers lie in slabs of 8 or 64 KB, of which the 200 requests may begin one more or less: 41 or 328 bytes a request.
 */
const MOST: Readonly<Record<string, Bytes>> = {
  untouched: { heap: 410, buffers: 400 }, //         352
  read: { heap: 5130, buffers: 400 }, //             4992, of a cookie that was opened before
  'read-object': { heap: 8040, buffers: 400 }, //    7904, as well
  write: { heap: 16_430, buffers: 1350 }, //         16,288; in what inject receives 983 to 1188
  none: { heap: 3770, buffers: 400 }, //             3640
  junk: { heap: 5250, buffers: 400 }, //             5112
  forged: { heap: 5780, buffers: 400 } //            5640: sodium-native throws
}

const MEASURED_ON = ['20', '22', '24']
/** An object and its fields may take more room on a version that was not measured. */
const allowance = MEASURED_ON.includes(process.versions.node.split('.')[0] as string) ? 1 : 1.2

t.test('a request allocates no more bytes than the recorded number', async t => {
  const flags = ['--jitless', '--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']
  // Some versions warn that without machine code there is no WebAssembly.
  const printed = execFileSync(process.execPath, [...flags, join(__dirname, 'allocating.js')], { env: plainEnv(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const added = JSON.parse(printed) as Record<string, Bytes>
  t.strictSame(Object.keys(added), Object.keys(MOST))
  for (const [what, most] of Object.entries(MOST)) {
    const { heap, buffers } = added[what] as Bytes
    t.ok(heap > 0 && heap <= most.heap * allowance, `${what}: ${heap} bytes of the heap, at most ${most.heap}`)
    t.ok(buffers <= most.buffers * allowance, `${what}: ${buffers} bytes in Buffers, at most ${most.buffers}`)
  }
})
