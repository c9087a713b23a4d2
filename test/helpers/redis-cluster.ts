import { Redis } from 'ioredis'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort, RedisServer } from './redis-server'

const NODES = 3
const SLOTS = 16_384
const JOIN_PATIENCE_MS = 60_000

/** A real cluster of three masters, each with a third of the slots. */
export class RedisCluster {
  readonly nodes: readonly RedisServer[]

  private constructor (nodes: readonly RedisServer[]) {
    this.nodes = nodes
  }

  static async start (): Promise<RedisCluster> {
    const busPorts = await Promise.all(Array.from({ length: NODES }, freePort))
    const nodes = await Promise.all(busPorts.map(startNode))
    const cluster = new RedisCluster(nodes)
    try {
      await cluster.#join(busPorts)
    } catch (error) {
      await cluster.remove()
      throw error
    }
    return cluster
  }

  async remove (): Promise<void> {
    await Promise.all(this.nodes.map(async node => { await node.remove() }))
  }

  async #join (busPorts: readonly number[]): Promise<void> {
    const clients = this.nodes.map(({ url }) => new Redis(url))
    try {
      await Promise.all(clients.map(async (client, index) => {
        await client.call('CLUSTER', 'ADDSLOTSRANGE', firstSlot(index), firstSlot(index + 1) - 1)
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
      }))
      const [first] = clients as [Redis]
      for (const [index, { port }] of this.nodes.entries()) {
        if (index > 0) await first.call('CLUSTER', 'MEET', '127.0.0.1', port, busPorts[index] as number)
      }
      await Promise.all(clients.map(isReady))
    } finally {
      for (const client of clients) client.disconnect()
    }
  }
}

async function startNode (busPort: number): Promise<RedisServer> {
  return await RedisServer.start({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-announce-ip', '127.0.0.1'] })
}

function firstSlot (index: number): number {
  return Math.ceil(SLOTS * index / NODES)
}

/** This node knows who has which slot, and takes commands. */
async function isReady (client: Redis): Promise<void> {
  for (let waitedMs = 0; waitedMs < JOIN_PATIENCE_MS; waitedMs += 50) {
    const info = await client.cluster('INFO')
    if (info.includes('cluster_state:ok') && info.includes(`cluster_size:${NODES}`)) return
    await pause(50)
  }
  throw new Error(`the cluster was not ready within ${JOIN_PATIENCE_MS / 1000} seconds`)
}
