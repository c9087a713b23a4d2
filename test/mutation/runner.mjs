import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { clearInterval, setInterval } from 'node:timers'
import { fileURLToPath } from 'node:url'
import { PluginKind, commonTokens, declareClassPlugin, tokens } from '@stryker-mutator/api/plugin'
import { DryRunStatus, MutantRunStatus, TestStatus, determineHitLimitReached } from '@stryker-mutator/api/test-runner'

const require = createRequire(import.meta.url)

/** They count calls or start other processes. */
const NOT_RUN = /^(?:speed|loader)\b|^cli\/(?:process|redis)|^keys\/guarded-memory-limit/
/** What earlier processes measured, by test file. */
const MEASURED = join(dirname(fileURLToPath(import.meta.url)), '../../.tap/mutation/measured.json')
/** How much longer than without a mutant a test file may take before it fails. */
const SLOWER = 4
const PATIENCE_MS = 3000
/** A test file that waits this many seconds on end, and computes nothing, hangs. No test sleeps. */
const IDLE_SECONDS = 3
/** Of a second. */
const IDLE = 0.05

/** What instrumented code reads and writes. */
const state = globalThis.__stryker__ = { mutantCoverage: { static: {}, perTest: {} } }

/** What test files and their helpers import: the subtest of the file that runs. */
let current
const forTests = { __esModule: true, get default () { return current }, get t () { return current } }

/**
 * Runs test files in this one process, each with the library loaded anew: to start a process takes longer than most
 * files. For a mutant they run in the order that promises to kill it soonest: first those that killed most mutants of the same
 * source file, then the quickest. What as many seconds of tests as `warm.budgetSeconds` do not kill counts as survived.
 */
class WarmRunner {
  static inject = tokens(commonTokens.options)
  #budgetMs
  #tests = join(process.cwd(), 'test')
  #measured = readMeasured()
  #parent
  #end

  constructor (options) {
    this.#budgetMs = options.warm.budgetSeconds * 1000
  }

  capabilities () {
    return { reloadEnvironment: true }
  }

  async init () {
    await import('../loader/register.mjs')
    process.stdout.write = () => true
    // The only messages to the parent are Stryker's, which are text.
    const send = process.send.bind(process)
    process.send = (message, ...rest) => typeof message === 'string' && send(message, ...rest)
    process.env.TAP_TIMEOUT = '0'
    const tap = require('tap')
    const load = Module._load
    Module._load = (request, parent, isMain) =>
      request === 'tap' && parent?.filename.startsWith(this.#tests) ? forTests : load(request, parent, isMain)
    // While this test has not ended, tap takes further ones.
    await new Promise(resolve => {
      tap.test('files', async t => {
        this.#parent = t
        resolve()
        await new Promise(resolve => { this.#end = resolve })
      })
    })
  }

  async dispose () {
    this.#end()
  }

  async dryRun ({ testFiles }) {
    const tests = []
    for (const fileName of testFiles.filter(path => !NOT_RUN.test(relative(this.#tests, path)))) {
      const file = relative(this.#tests, fileName)
      const { failure, durationMs } = await this.#run(file)
      this.#measured[file] = { durationMs, kills: this.#measured[file]?.kills ?? {} }
      const status = failure === null ? TestStatus.Success : TestStatus.Failed
      tests.push({ id: file, name: file, fileName, timeSpentMs: durationMs, status, failureMessage: failure })
    }
    this.#measured = { ...readMeasured(), ...this.#measured }
    writeMeasured(this.#measured)
    return { status: DryRunStatus.Complete, tests, mutantCoverage: state.mutantCoverage }
  }

  async mutantRun ({ activeMutant, testFilter, hitLimit, sandboxFileName }) {
    const source = relative(process.cwd(), sandboxFileName)
    // Other processes read the environment.
    process.env.__STRYKER_ACTIVE_MUTANT__ = activeMutant.id
    Object.assign(state, { activeMutant: activeMutant.id, hitLimit, hitCount: hitLimit === undefined ? undefined : 0 })
    let nrOfTests = 0
    for (const file of this.#inOrder(testFilter, source)) {
      nrOfTests++
      const { failure } = await this.#run(file)
      const hitLimitReached = determineHitLimitReached(state.hitCount, hitLimit)
      if (hitLimitReached !== undefined) return hitLimitReached
      if (failure !== null) {
        this.#countKill(file, source)
        return { status: MutantRunStatus.Killed, killedBy: [file], failureMessage: failure, nrOfTests }
      }
    }
    return { status: MutantRunStatus.Survived, nrOfTests }
  }

  #inOrder (files, source) {
    const kills = file => this.#measured[file].kills[source] ?? 0
    const durationMs = file => this.#measured[file].durationMs
    let spentMs = 0
    return [...files].sort((a, b) => kills(b) - kills(a) || durationMs(a) - durationMs(b)).filter((file, index) => {
      spentMs += durationMs(file)
      return index === 0 || spentMs <= this.#budgetMs
    })
  }

  #countKill (file, source) {
    // Another process may have counted meanwhile.
    this.#measured = { ...this.#measured, ...readMeasured() }
    const { kills } = this.#measured[file]
    kills[source] = (kills[source] ?? 0) + 1
    writeMeasured(this.#measured)
  }

  /** Runs a test file. `failure` is null where all of it passes. */
  async #run (file) {
    for (const path of Object.keys(require.cache)) {
      if (path.startsWith(process.cwd() + sep) && !path.includes('node_modules')) delete require.cache[path]
    }
    state.currentTestId = file
    const startedAt = performance.now()
    const timeout = state.activeMutant === undefined ? 0 : this.#measured[file].durationMs * SLOWER + PATIENCE_MS
    const result = await this.#parent.test(file, { timeout }, async t => {
      current = untilFailure(t)
      endWhenIdle(t)
      require(join(this.#tests, file))
    })
    const failure = result.ok ? null : result.failures[0]?.fullname ?? 'failed'
    return { durationMs: performance.now() - startedAt, failure }
  }
}

/** A reply that never comes would otherwise take as long as the timeout. A busy machine makes no test idle. */
function endWhenIdle (t) {
  let before = performance.eventLoopUtilization()
  let idleSeconds = 0
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization()
    idleSeconds = performance.eventLoopUtilization(now, before).utilization < IDLE ? idleSeconds + 1 : 0
    before = now
    if (idleSeconds === IDLE_SECONDS) t.timeout()
  }, 1000)
  t.teardown(() => { clearInterval(timer) })
}

/** The tests of a file, which run nothing more once one of them has failed. */
function untilFailure (t) {
  return new Proxy(t, {
    get (target, name) {
      const value = name === 'test' ? test : target[name]
      return typeof value === 'function' ? value.bind(target) : value
    }
  })

  function test (...given) {
    const run = given.pop()
    return t.test(...given, async subtest => { if (t.passing()) await run(subtest) })
  }
}

function readMeasured () {
  try {
    return JSON.parse(readFileSync(MEASURED, 'utf8'))
  } catch {
    return {}
  }
}

function writeMeasured (measured) {
  mkdirSync(dirname(MEASURED), { recursive: true })
  // Another process may read it at any time.
  const written = `${MEASURED}.${process.pid}`
  writeFileSync(written, JSON.stringify(measured, null, 1))
  renameSync(written, MEASURED)
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'warm', WarmRunner)]
export const strykerValidationSchema = {
  properties: { warm: { type: 'object', properties: { budgetSeconds: { type: 'number' } }, default: { budgetSeconds: 60 } } }
}
