import { setTimeout as pause } from 'node:timers/promises'
import { RedisServer } from '../helpers/redis-server'
import { TcpProxy } from '../helpers/tcp-proxy'
import { Dice } from './dice'
import { readOptions } from './options'
import { prove, type Started } from './prove'
import { Report } from './report'
import { Actor, DONE } from './revocation-actor'
import { COUNTED, RECHECK_MS, Subject, type Kind } from './revocation-oracle'
import { RevocationServer } from './revocation-server'
import { freePort } from './server'

/**
 * Sessions are ended in a fleet, one, all others or all of somebody, in the middle of parallel requests, while Redis is killed
 * and frozen and servers are killed: whoever bears an ended session sees nothing of it once the end was acknowledged (and
 * `recheck` is over), whoever logs in afterwards is served, and nobody else suffers.
 *
 *     node --import ./test/loader/register.mjs test/proofs/revocation-fleet.ts --seconds 60
 */
const options = readOptions({ seconds: 30, servers: 3, users: 6, clients: 12, seed: Date.now() % 1_000_000 })

const TIMEOUT = '1s'
/** One server is far from Redis: its questions and their answers are under way for so long each. */
const FAR_MS = 20
const CLIENTS = [{}, { enableOfflineQueue: false }, { maxRetriesPerRequest: 1 }]
/** For each client that ends sessions, so many others use them at that time. */
const WATCHERS = 3
const PATIENCE_MS = 30_000
/** Shorter and longer than a server waits for Redis. */
const OUTAGE_MS = { least: 300, most: 2500 }
const CALM_MS = { least: 1500, most: 3000 }

const FROZEN = 'times that Redis was frozen'
const KILLED = 'times that Redis was killed'
const RESTARTS = 'servers killed and started again'
const SWEPT = 'sessions looked at by each server at the end'
const WARNINGS = 'warnings about the store'

const report = new Report(`revocation in a fleet, ${options.servers} servers, ${options.users} users, ${options.clients} clients, seed ${options.seed}`)
report.expect(...Object.values(DONE), ...Object.values(COUNTED), FROZEN, KILLED, RESTARTS, WARNINGS, SWEPT)
report.want(1, FROZEN, KILLED, RESTARTS)
report.want(3, DONE.logouts, DONE.everywhere, DONE.others, DONE.relogins, DONE.away, COUNTED.within)
report.want(200, COUNTED.read, COUNTED.refused)

async function proof (started: Started): Promise<void> {
  const dice = new Dice(options.seed)
  const redis = await RedisServer.start()
  started.endWith(async () => { await redis.remove() })
  const servers = await startServers(redis, dice, started)
  const subjects = (Object.keys(RECHECK_MS) as Kind[]).flatMap(kind => Array.from({ length: options.users }, (_, index) => new Subject(`user ${index}`, kind)))
  const actors = Array.from({ length: options.clients }, () => {
    const around = { subjects, servers, report, dice: dice.another() }
    return new Actor(around, Array.from({ length: WATCHERS }, () => new Actor(around)))
  })
  const stop = new AbortController()
  await Promise.all([
    ...actors.map(async actor => { await actor.goOnUntil(stop.signal) }),
    restartUntil(stop.signal, servers, dice.another()),
    outages(redis, dice.another()).finally(() => { stop.abort() })
  ])
  await sweep(subjects, servers, dice)
}

async function startServers ({ url, port }: RedisServer, dice: Dice, started: Started): Promise<RevocationServer[]> {
  const servers: RevocationServer[] = []
  const proxy = await TcpProxy.to(port)
  proxy.slowDown(FAR_MS)
  started.endWith(async () => { await proxy.close() })
  for (let index = 0; index < options.servers; index++) {
    const name = `server ${index + 1}`
    const settings = { name, package: options.package, port: await freePort(dice), redis: index === 0 ? proxy.url : url, client: CLIENTS[index % CLIENTS.length] as object, timeout: TIMEOUT }
    const server = new RevocationServer(settings, (text, aboutStore) => {
      if (aboutStore) report.add(WARNINGS)
      else report.violation(`${name}: ${text}`)
    })
    started.endWith(async () => { await server.kill() })
    servers.push(server)
  }
  await Promise.all(servers.map(async server => { await server.start() }))
  return servers
}

/** Each kind once at least. */
async function outages (redis: RedisServer, dice: Dice): Promise<void> {
  for (let turn = 0; turn < 2 || !report.isOver(options.seconds); turn++) {
    await pause(dice.between(CALM_MS.least, CALM_MS.most))
    if (turn % 2 === 0) redis.freeze()
    else await redis.stop('SIGKILL')
    await pause(dice.between(OUTAGE_MS.least, OUTAGE_MS.most))
    if (turn % 2 === 0) redis.thaw()
    else await redis.start()
    report.add(turn % 2 === 0 ? FROZEN : KILLED)
  }
}

/** What a server has heard of sessions is gone with it. */
async function restartUntil (signal: AbortSignal, servers: readonly RevocationServer[], dice: Dice): Promise<void> {
  while (!signal.aborted) {
    await pause(dice.between(2000, 5000))
    const server = dice.oneOf(servers)
    await server.kill()
    await pause(dice.between(0, 300))
    await server.start()
    report.add(RESTARTS)
  }
}

/** Redis is back, and so is each server, by itself; then all of them are asked about all sessions. */
async function sweep (subjects: readonly Subject[], servers: readonly RevocationServer[], dice: Dice): Promise<void> {
  const actor = new Actor({ subjects, servers, report, dice })
  await pause(Math.max(...Object.values(RECHECK_MS)))
  const logins = subjects.flatMap(subject => subject.logins)
  for (const server of servers) {
    for (const login of logins) {
      const giveUpAtMs = Date.now() + PATIENCE_MS
      while (!await actor.read(login, false, server)) {
        if (Date.now() > giveUpAtMs) return report.violation(`${server.name} did not heal within ${PATIENCE_MS / 1000} s`)
        await pause(50)
      }
    }
  }
  report.add(SWEPT, logins.length)
}

prove(report, proof)
