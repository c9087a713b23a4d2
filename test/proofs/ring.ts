import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import Redis from 'ioredis'
import type secureSession from '../../index'
import { parseKeyring, type KeyRecord } from '../../lib/keyring/document'
import { plainEnv } from '../helpers/process'
import { REPOSITORY, type PackageUnderTest } from './package-under-test'
import type { Started } from './prove'

const run = promisify(execFile)

interface Where {
  /** One of the two is null. */
  readonly file: string | null
  readonly redis: string | null
}

/** A ring that servers share, changed as an operator would: with the package's command, in a process of its own. */
export class Ring implements Where {
  readonly file: string | null
  readonly redis: string | null
  readonly #package: PackageUnderTest
  readonly #store: secureSession.KeyringStore

  private constructor ({ file, redis }: Where, underTest: PackageUnderTest, store: secureSession.KeyringStore) {
    this.file = file
    this.redis = redis
    this.#package = underTest
    this.#store = store
  }

  static async inFile (underTest: PackageUnderTest, started: Started): Promise<Ring> {
    const folder = mkdtempSync(join(tmpdir(), 'ring-'))
    started.endWith(() => { rmSync(folder, { recursive: true, force: true }) })
    const file = join(folder, 'keys.json')
    const ring = new Ring({ file, redis: null }, underTest, underTest.plugin.fileKeyring(file))
    await ring.#command('init')
    return ring
  }

  static async inRedis (underTest: PackageUnderTest, url: string, started: Started): Promise<Ring> {
    const client = new Redis(url)
    client.on('error', () => {})
    started.endWith(() => { client.disconnect() })
    const ring = new Ring({ file: null, redis: url }, underTest, underTest.plugin.redisKeyring(client))
    await ring.#command('init')
    return ring
  }

  /** Throws where the ring is no good. */
  async keys (): Promise<KeyRecord[]> {
    return parseKeyring(await this.#store.read() ?? '')
  }

  /** Adds a key, which seals after this time, 0 for at once. Resolves to its id. */
  async rotate (activateInMs: number, keepForMs: number): Promise<string> {
    const activation = activateInMs === 0 ? ['--now'] : ['--activate-in', `${Math.round(activateInMs)}ms`]
    const { added } = JSON.parse(await this.#command('rotate', ...activation, '--keep-for', `${keepForMs}ms`)) as { added: { id: string } }
    return added.id
  }

  /** Removes the keys that expired. */
  async prune (): Promise<void> {
    await this.#command('prune')
  }

  async #command (...args: string[]): Promise<string> {
    const where = this.file !== null ? ['--keyring', this.file] : ['--redis', this.redis as string]
    const main = resolve(this.#package.folder, 'dist/lib/cli/main.js')
    return (await run(process.execPath, [main, ...args, ...where, '--json'], { cwd: REPOSITORY, env: plainEnv() })).stdout
  }
}
