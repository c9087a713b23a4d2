import { existsSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { RedisServer } from '../helpers/redis-server'
import { Dice } from './dice'
import { readOptions } from './options'
import { loadPackage } from './package-under-test'
import { prove, type Started } from './prove'
import { Report } from './report'
import { Ring } from './ring'
import { until } from './waiting'
import { Writer } from './writer'

/**
 * Whoever writes a keyring file may be killed at any moment: the ring is as it was or as it was to be, and the next one
 * writes at once. Then many write at the same moment, to a file and to Redis: no key is lost.
 *
 *     node --import ./test/loader/register.mjs test/proofs/kill-the-writer.ts --kills 400
 */
const options = readOptions({ kills: 100, 'at-once': 24, seed: Date.now() % 1_000_000 })

/** A ring this long is left for a fresh one, since a longer one takes longer to write. */
const LONG_RING = 150
/** How many of the kills come while the process is still starting, and how many in its first rotation, which takes longest. */
const WHILE_STARTING = 0.1
const IN_ITS_FIRST = 0.3
/** The others come at some moment after it, within the time that so many rotations take. */
const LATER_ROTATIONS = 4
const FOR_THE_SCALE = 20
const MODE = 0o600
const PERMISSIONS = 0o777
/** Generous: a lock that a dead process held would never come free. */
const PATIENCE_MS = 10_000

const KILLS = 'kills'
const INSIDE = 'kills that fell into a rotation'
const LEFTOVERS = 'kills that left a temporary file behind'
const SURVIVED = 'rotations that were written, and whose writer died before it could say so'
const REPORTED = 'rotations reported as done'
const FOUND = 'keys found in the rings'
const LOST = 'keys lost'
const SLOWEST = 'slowest first rotation after a kill, ms'
const AT_ONCE = { file: 'rotations at the same moment, file', redis: 'rotations at the same moment, Redis' }

const report = new Report(`kill the writer, seed ${options.seed}`)
report.expect(KILLS, INSIDE, LEFTOVERS, SURVIVED, REPORTED, FOUND, LOST, SLOWEST, AT_ONCE.file, AT_ONCE.redis)
if (options.kills >= 20) report.want(Math.ceil(options.kills / 10), INSIDE)

async function proof (started: Started): Promise<void> {
  const dice = new Dice(options.seed)
  const underTest = loadPackage(options.package)
  const newRing = async (): Promise<Known> => new Known(await Ring.inFile(underTest, started))
  let known = await newRing()
  const scale = await measure(known, started)
  for (let kill = 0; kill < options.kills; kill++) {
    if (known.ids.size > LONG_RING) known = await newRing()
    await killOne(known, scale, dice, started)
  }
  await writeAtOnce(known, AT_ONCE.file, started)
  if (existsSync(temporaryOf(known))) report.violation('there is a temporary file left, and nobody writes')
  const redis = await RedisServer.start()
  started.endWith(async () => { await redis.remove() })
  await writeAtOnce(new Known(await Ring.inRedis(underTest, redis.url, started)), AT_ONCE.redis, started)
}

/** A ring, and the keys that must be in it. */
class Known {
  readonly ring: Ring
  ids = new Set<string>()

  constructor (ring: Ring) {
    this.ring = ring
  }

  /** The ring can be read and holds every key that it held, and every key that was reported. Returns how many others it holds. */
  async check (reported: readonly string[], when: string): Promise<number> {
    report.add(REPORTED, reported.length)
    const found = new Set((await this.ring.keys()).map(({ id }) => id))
    for (const id of [...this.ids, ...reported]) {
      if (found.has(id)) continue
      report.add(LOST)
      report.violation(`${when}: key ${id} is gone`)
    }
    const others = [...found].filter(id => !this.ids.has(id) && !reported.includes(id)).length
    report.add(FOUND, found.size - this.ids.size)
    this.ids = found
    if (this.ring.file !== null) checkMode(this.ring.file, when)
    return others
  }
}

function checkMode (file: string, when: string): void {
  const mode = statSync(file).mode & PERMISSIONS
  if (mode !== MODE) report.violation(`${when}: the file's mode is ${mode.toString(8)}`)
}

interface Scale {
  readonly startMs: number
  readonly firstMs: number
  readonly rotationMs: number
}

function start ({ ring: { file, redis } }: Known, forEver: boolean, started: Started): Writer {
  const writer = new Writer({ package: options.package, file, redis, forEver })
  started.endWith(async () => { await writer.kill() })
  return writer
}

/** How long a process takes to start, and to rotate. */
async function measure (known: Known, started: Started): Promise<Scale> {
  await known.check([], 'at first')
  const startedAtMs = Date.now()
  const writer = start(known, true, started)
  await until(writer, 'line', PATIENCE_MS, () => writer.isWriting)
  const startMs = Date.now() - startedAtMs
  await until(writer, 'line', PATIENCE_MS, () => writer.written.length >= FOR_THE_SCALE)
  await writer.kill()
  await known.check(writer.written, 'after the first writer')
  const [firstMs = 0, ...others] = writer.tookMs
  return { startMs, firstMs, rotationMs: others.reduce((sum, ms) => sum + ms, 0) / others.length }
}

/** Starts a writer and kills it. That it writes at all shows that the one killed before it holds no lock, and left nothing in its way. */
async function killOne (known: Known, scale: Scale, dice: Dice, started: Started): Promise<void> {
  const writer = start(known, true, started)
  await untilItsMoment(writer, scale, dice)
  await writer.kill()
  report.add(KILLS)
  const hasLeftover = existsSync(temporaryOf(known))
  if (hasLeftover) report.add(LEFTOVERS)
  if (hasLeftover || writer.isWriting) report.add(INSIDE)
  report.most(SLOWEST, writer.tookMs[0] ?? 0)
  report.add(SURVIVED, await known.check(writer.written, `kill ${report.count(KILLS)}`))
}

async function untilItsMoment (writer: Writer, { startMs, firstMs, rotationMs }: Scale, dice: Dice): Promise<void> {
  const moment = dice.share()
  if (moment < WHILE_STARTING) return await pause(dice.between(0, startMs))
  if (!await until(writer, 'line', PATIENCE_MS, () => writer.isWriting)) report.violation('a writer did not start')
  if (moment < WHILE_STARTING + IN_ITS_FIRST) return await pause(dice.between(0, firstMs))
  if (!await until(writer, 'line', PATIENCE_MS, () => writer.written.length > 0)) report.violation(`after kill ${report.count(KILLS)} the next writer did not get on within ${PATIENCE_MS / 1000} s`)
  await pause(dice.between(0, LATER_ROTATIONS * rotationMs))
}

function temporaryOf ({ ring }: Known): string {
  return `${ring.file}.tmp`
}

/** All wait until the last of them has started. */
async function writeAtOnce (known: Known, name: string, started: Started): Promise<void> {
  await known.check([], `before ${name}`)
  const writers = Array.from({ length: options['at-once'] }, () => start(known, false, started))
  await Promise.all(writers.map(async writer => { await writer.ready() }))
  await Promise.all(writers.map(async writer => { await writer.addKey() }))
  const written = writers.flatMap(writer => writer.written)
  report.add(name, written.length)
  if (written.length !== writers.length) report.violation(`${name}: only ${written.length} of ${writers.length} said that they were done`)
  if (new Set(written).size !== written.length) report.violation(`${name}: one key was reported twice`)
  const others = await known.check(written, name)
  if (others > 0) report.violation(`${name}: ${others} keys are there that nobody reported`)
}

prove(report, proof)
