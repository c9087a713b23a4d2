import { setTimeout as pause } from 'node:timers/promises'
import { RedisServer } from '../helpers/redis-server'
import { Dice } from './dice'
import { readOptions } from './options'
import { loadPackage } from './package-under-test'
import { prove, type Started } from './prove'
import { Report } from './report'
import { Ring } from './ring'
import { freePort, Server } from './server'
import { COUNTED, User } from './user'
import { until } from './waiting'

/**
 * Redis goes and comes back: stopped, crashed, or frozen with its connections open. The servers keep the ring they have,
 * no request fails or waits for it, and once Redis is back they learn of the next key.
 *
 *     node --import ./test/loader/register.mjs test/proofs/redis-restart.ts --seconds 60
 */
const options = readOptions({ seconds: 30, clients: 6, seed: Date.now() % 1_000_000 })

const RELOAD_EVERY = '1s'
const KEEP_FOR_MS = 3_600_000
/** A server that is still connecting must know a key before another seals with it. */
const ACTIVATE_IN_MS = 5000
/** Generous: a client reconnects within 2 seconds, and a read that hangs is given up after 5. */
const PATIENCE_MS = 30_000
const MOST_WARNINGS = 2
/** Outages are shorter and longer than a server waits for the store. */
const OUTAGE_MS = { least: 2000, most: 7000 }

type Outage = 'stopped' | 'killed' | 'frozen'
const OUTAGES: readonly Outage[] = ['killed', 'frozen', 'stopped']

const countOf = (outage: Outage): string => `times that Redis was ${outage}`
const ROTATIONS = 'rotations after a return'
const PICKED_UP = 'slowest server to know the key after the return of Redis, ms'
const DURING = 'slowest answer while Redis was away, ms'
const WARNINGS = 'most warnings of one server in one outage'

const report = new Report(`Redis restarts, seed ${options.seed}`)
report.expect(...COUNTED, ...OUTAGES.map(countOf), ROTATIONS, PICKED_UP, DURING, WARNINGS)
report.want(1, ...OUTAGES.map(countOf), 'writes')
report.want(300, 'requests')

async function proof (started: Started): Promise<void> {
  const dice = new Dice(options.seed)
  const redis = await RedisServer.start()
  started.endWith(async () => { await redis.remove() })
  const ring = await Ring.inRedis(loadPackage(options.package), redis.url, started)
  const servers = await startServers(ring, dice, started)
  const stop = new AbortController()
  const around = { servers, ring, report, ways: new Map<string, string>(), flooded: false }
  const users = Array.from({ length: options.clients }, (_, index) => new User(`user ${index}`, index === 0, { ...around, dice: dice.another() }))
  await Promise.all([
    ...users.map(async user => { await user.goOnUntil(stop.signal) }),
    outages(redis, ring, servers, dice).finally(() => { stop.abort() })
  ])
}

async function startServers ({ file, redis }: Ring, dice: Dice, started: Started): Promise<Server[]> {
  const servers: Server[] = []
  for (const name of ['server 1', 'server 2']) {
    const session = { idle: '20s', renewAfter: '1s', absolute: '40s', reloadEvery: RELOAD_EVERY }
    const server = new Server({ name, package: options.package, port: await freePort(dice), file, redis, session, slowShare: 0, slowMs: 0 })
    server.on('warning', (text: string, aboutKeyring: boolean) => {
      if (!aboutKeyring) report.violation(`${name}: ${text}`)
    })
    started.endWith(async () => { await server.end('SIGKILL') })
    servers.push(server)
  }
  await Promise.all(servers.map(async server => { await server.start() }))
  return servers
}

/** Each kind once at least. */
async function outages (redis: RedisServer, ring: Ring, servers: readonly Server[], dice: Dice): Promise<void> {
  for (let turn = 0; turn < OUTAGES.length || !report.isOver(options.seconds); turn++) {
    const warnings = countWarnings(servers)
    await goAndReturn(OUTAGES[turn % OUTAGES.length] as Outage, redis, dice)
    await rotate(ring, servers, turn % 2 === 0)
    for (const { name, count } of warnings()) {
      report.most(WARNINGS, count)
      if (count > MOST_WARNINGS) report.violation(`${name} warned ${count} times of the ring in one outage`)
    }
  }
}

async function goAndReturn (outage: Outage, redis: RedisServer, dice: Dice): Promise<void> {
  if (outage === 'frozen') redis.freeze()
  else await redis.stop(outage === 'killed' ? 'SIGKILL' : 'SIGTERM')
  const slowestBefore = report.count('slowest answer, ms')
  report.reset('slowest answer, ms')
  await pause(dice.between(OUTAGE_MS.least, OUTAGE_MS.most))
  report.most(DURING, report.count('slowest answer, ms'))
  report.most('slowest answer, ms', slowestBefore)
  if (outage === 'frozen') redis.thaw()
  else await redis.start()
  report.add(countOf(outage))
}

/** Right after the return for a key that seals later; for one that seals at once when all servers can read the ring again. */
async function rotate (ring: Ring, servers: readonly Server[], atOnce: boolean): Promise<void> {
  const sinceMs = Date.now()
  if (atOnce) {
    for (const server of servers) {
      const reads = await until(server, 'change', PATIENCE_MS, () => server.lastRead?.ok === true && server.lastRead.startedAtMs > sinceMs)
      if (!reads) report.violation(`${server.name} did not read the ring within ${PATIENCE_MS / 1000} s after the return of Redis`)
    }
  }
  const rotatedAtMs = Date.now()
  const id = await ring.rotate(atOnce ? 0 : ACTIVATE_IN_MS, KEEP_FOR_MS)
  report.add(ROTATIONS)
  for (const server of servers) {
    if (!await server.knows(id, PATIENCE_MS)) report.violation(`${server.name} did not learn of key ${id} within ${PATIENCE_MS / 1000} s after the return of Redis`)
  }
  report.most(PICKED_UP, Date.now() - (atOnce ? rotatedAtMs : sinceMs))
}

/** From now on; the function returned tells how many each server made. */
function countWarnings (servers: readonly Server[]): () => Array<{ name: string, count: number }> {
  const counts = new Map(servers.map(({ name }) => [name, 0]))
  const listeners = servers.map(server => {
    const listener = (_: string, aboutKeyring: boolean): void => { if (aboutKeyring) counts.set(server.name, (counts.get(server.name) ?? 0) + 1) }
    server.on('warning', listener)
    return () => { server.off('warning', listener) }
  })
  return () => {
    for (const stop of listeners) stop()
    return Array.from(counts, ([name, count]) => ({ name, count }))
  }
}

prove(report, proof)
