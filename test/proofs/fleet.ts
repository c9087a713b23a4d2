import { setTimeout as pause } from 'node:timers/promises'
import { RedisServer } from '../helpers/redis-server'
import { Dice } from './dice'
import { readOptions } from './options'
import { loadPackage } from './package-under-test'
import { prove, type Started } from './prove'
import { Report } from './report'
import { Ring } from './ring'
import { ACTIVATE_IN_MS, BY_SERVERS, EVERY_MS, NOW, Rotations, SOON, TROUBLES } from './rotations'
import { freePort, Server } from './server'
import { Stranger } from './stranger'
import { COUNTED, User } from './user'

/**
 * A fleet whose keys rotate, by hand and by itself, while its servers are closed, killed and started again, the store of
 * some hangs or fails, and strangers try what they can: nobody who is logged in is ever met as somebody else or nobody.
 *
 *     node --import ./test/loader/register.mjs test/proofs/fleet.ts --store redis --seconds 120
 *
 * With `--flood` strangers name random keys all the time, so that every server is always looking for some.
 */
const options = readOptions({ store: 'file', seconds: 30, servers: 4, clients: 12, seed: Date.now() % 1_000_000, flood: false })

const IDLE = '20s'
const RENEW_AFTER = '1s'
/** Longer than users stay logged in. Keys are kept for so long too, and no longer. */
const ABSOLUTE = '40s'
const KEEP_FOR_MS = 40_000
const RELOAD_EVERY_MS = [200, 700, 2000, 5000]
/** Servers make keys themselves where they reload often enough for it; the others seek them. */
const ROTATION = { every: `${EVERY_MS}ms`, activateIn: `${ACTIVATE_IN_MS}ms`, keepFor: ABSOLUTE }

const ONLY_READS = 0.25
const FLOOD_PER_SECOND = 50
const RESTARTS = { SIGTERM: 'restarts after SIGTERM', SIGKILL: 'restarts after SIGKILL' }
const ALL_RESTARTS = 'restarts'
const WARNINGS = 'warnings about the ring'

const report = new Report(`fleet on a ${options.store} ring, ${options.servers} servers, ${options.clients} clients, seed ${options.seed}${options.flood ? ', flooded' : ''}`)
report.expect(...COUNTED, NOW, SOON, BY_SERVERS, ALL_RESTARTS, RESTARTS.SIGTERM, RESTARTS.SIGKILL, TROUBLES, WARNINGS, 'junk requests')
report.want(2, NOW)
report.want(1, SOON, BY_SERVERS, ALL_RESTARTS)
report.want(300, 'requests')

async function proof (started: Started): Promise<void> {
  const dice = new Dice(options.seed)
  const ring = await makeRing(started)
  const servers = await startServers(ring, dice, started)
  const stop = new AbortController()
  const stranger = new Stranger(report)
  const rotations = new Rotations({ servers, ring, report, dice: dice.another(), stranger, keepForMs: KEEP_FOR_MS })
  const around = { servers, ring, report }
  const users = Array.from({ length: options.clients }, (_, index) => new User(`user ${index}`, dice.chance(ONLY_READS), { ...around, dice: dice.another() }))
  const stopRotating = new AbortController()
  const work = [
    ...users.map(async user => { await user.goOnUntil(stop.signal) }),
    restartUntil(stop.signal, servers, dice.another()),
    options.flood ? stranger.floodUntil(stop.signal, servers, FLOOD_PER_SECOND) : undefined,
    rotations.goOnUntil(stopRotating.signal).then(() => { stop.abort() })
  ]
  await Promise.all([untilOver().then(() => { stopRotating.abort() }), ...work])
  stranger.close()
}

async function untilOver (): Promise<void> {
  while (!report.isOver(options.seconds)) await pause(100)
}

async function makeRing (started: Started): Promise<Ring> {
  const underTest = loadPackage(options.package)
  if (options.store === 'file') return await Ring.inFile(underTest, started)
  const redis = await RedisServer.start()
  started.endWith(async () => { await redis.remove() })
  return await Ring.inRedis(underTest, redis.url, started)
}

async function startServers ({ file, redis }: Ring, dice: Dice, started: Started): Promise<Server[]> {
  const servers: Server[] = []
  for (let index = 0; index < options.servers; index++) {
    const reloadEveryMs = RELOAD_EVERY_MS[index % RELOAD_EVERY_MS.length] as number
    const session = { idle: IDLE, renewAfter: RENEW_AFTER, absolute: ABSOLUTE, reloadEvery: `${reloadEveryMs}ms`, ...(reloadEveryMs < ACTIVATE_IN_MS / 2 ? { rotation: ROTATION } : {}) }
    const server = new Server({ name: `server ${index + 1}`, package: options.package, port: await freePort(dice), file, redis, session, slowShare: 0.2, slowMs: 60 })
    server.on('warning', (text: string, aboutKeyring: boolean) => {
      if (aboutKeyring) report.add(WARNINGS)
      else report.violation(`${server.name}: ${text}`)
    })
    started.endWith(async () => { await server.end('SIGKILL') })
    servers.push(server)
  }
  await Promise.all(servers.map(async server => { await server.start() }))
  return servers
}

/** Closes or kills one server after another, and starts it again on the same port. */
async function restartUntil (signal: AbortSignal, servers: readonly Server[], dice: Dice): Promise<void> {
  while (!signal.aborted) {
    await pause(dice.between(1500, 3500))
    const server = dice.oneOf(servers)
    const how = dice.chance(0.5) ? 'SIGTERM' : 'SIGKILL'
    await server.end(how)
    await pause(dice.between(0, 800))
    await server.start()
    report.add(ALL_RESTARTS)
    report.add(RESTARTS[how])
  }
}

prove(report, proof)
