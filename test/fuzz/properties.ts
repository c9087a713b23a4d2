import { randomInt } from 'node:crypto'
import { basename } from 'node:path'
import { performance } from 'node:perf_hooks'
import fc from 'fast-check'
import t, { type Test } from 'tap'

/** What must hold for every input that fast-check can make. */
export interface Property {
  readonly title: string
  /** Tries a batch of inputs; the same seed makes the same inputs. */
  readonly tryBatch: (seed: number, path: string) => Promise<Outcome>
}

interface Outcome {
  readonly inputs: number
  readonly failure: Failure | null
}

interface Failure {
  /** The smallest that was found. */
  readonly input: string
  /** How fast-check makes it again. */
  readonly path: string
  readonly error: string
}

/** Batches of a short run begin here, so that it tries the same inputs each time. */
const FIXED_SEED = 20260101
const MOST_SEEDS = 2 ** 31

const { FUZZ_SECONDS = '', FUZZ_SEED = '', FUZZ_PATH = '', FUZZ_PROPERTY = '' } = process.env
const SECONDS = Number(FUZZ_SECONDS)

/** @param runs how many inputs a batch has, which are all that a short run tries */
export function property<T> (
  title: string, input: fc.Arbitrary<T>, runs: number, holds: (input: T) => unknown
): Property {
  const checked = fc.asyncProperty(input, async value => { await holds(value) })
  return {
    title,
    async tryBatch (seed, path) {
      const details = await fc.check(checked, { numRuns: runs, seed, path })
      const { numRuns: inputs, failed, counterexample, counterexamplePath, errorInstance } = details
      if (!failed) return { inputs, failure: null }
      const error = errorInstance instanceof Error ? String(errorInstance.stack) : String(errorInstance)
      const input = fc.stringify(counterexample?.[0])
      return { inputs, failure: { input, path: counterexamplePath as string, error } }
    }
  }
}

/** A test for each property. Where there are seconds to spend, the file takes that long. */
export function testAll (...properties: readonly Property[]): void {
  const chosen = properties.filter(({ title }) => title.includes(FUZZ_PROPERTY))
  for (const each of chosen) {
    t.test(each.title, async t => {
      const endMs = performance.now() + SECONDS * 1000 / chosen.length
      const firstSeed = FUZZ_SEED !== '' ? Number(FUZZ_SEED) : SECONDS > 0 ? randomInt(MOST_SEEDS) : FIXED_SEED
      let seed = firstSeed
      let inputs = 0
      do {
        const { failure, ...tried } = await each.tryBatch(seed, FUZZ_PATH)
        inputs += tried.inputs
        if (failure !== null) {
          const { input, path, error } = failure
          t.fail('it does not hold', { input, error, seed, path })
          t.comment(`Run it again: ${commandFor(each.title, seed, path)}`)
          return
        }
        seed = (seed + 1) % MOST_SEEDS
      } while (performance.now() < endMs)
      t.pass(`${inputs} inputs, from seed ${firstSeed}`)
    })
  }
}

/** What helpers take a test for: to clean up. Here it is done after each input. */
export async function withTeardown (work: (t: Test) => Promise<void>): Promise<void> {
  const teardowns: Array<() => unknown> = []
  try {
    await work({ teardown: (each: () => unknown) => { teardowns.unshift(each) } } as unknown as Test)
  } finally {
    for (const each of teardowns) await each()
  }
}

function commandFor (title: string, seed: number, path: string): string {
  const file = basename(process.argv[1] as string, '.fuzz.ts')
  return `npm run test:fuzz -- ${file} --property ${JSON.stringify(title)} --seed ${seed} --path ${path}`
}
