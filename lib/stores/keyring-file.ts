import { open, realpath, rename, rm, type FileHandle } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FileKeyringOptions, KeyringStore } from '../../types/keyring'
import { InvalidOptionError, KeyringUnavailableError } from '../errors'
import { pause } from '../timers'

const MODE = 0o600
const PERMISSIONS = 0o777
const OF_OTHERS = 0o077
const OF_GROUP = 0o070

/** A URL is not shown in messages, as a path is: that of a Redis holds a password. */
const IS_URL = /^file:|^[a-z][a-z\d+.-]*:\/\//i

const LOCK_STEP_MS = 10
const LOCK_PATIENCE_MS = 10_000

/**
 * A keyring in a file. It is written whole: a temporary file, then a rename, under a lock that the system lets go of when
 * its holder dies. Owner and permissions stay as they were, so that root may rotate the keys of another user's servers.
 * Throws FST_SESSION_INVALID_OPTION for what is no path or `file:` URL.
 */
export function fileKeyring (path: string | URL, { othersMayRead = false }: FileKeyringOptions = {}): KeyringStore {
  return new FileKeyring(pathOf(path), othersMayRead)
}

class FileKeyring implements KeyringStore {
  readonly name: string
  readonly #path: string
  readonly #othersMayRead: boolean

  constructor (path: string, othersMayRead: boolean) {
    this.name = `keyring file ${path}`
    this.#path = path
    this.#othersMayRead = othersMayRead
  }

  async read (): Promise<string | null> {
    return (await this.#find())?.text ?? null
  }

  async update (expected: string | null, next: string): Promise<boolean> {
    return await this.#explained('cannot be written', async () => {
      // Behind a symbolic link it is the file that is replaced, not the link.
      const path = await realpath(this.#path).catch(() => this.#path)
      const lock = await open(`${path}.lock`, 'a', MODE)
      try {
        await this.#obtain(lock)
        const found = await this.#find()
        if ((found?.text ?? null) !== expected) return false
        if (found !== null) await keepOwner(lock, found.stats)
        await replaceFile(path, next, found?.stats)
        return true
      } finally {
        await lock.close()
      }
    })
  }

  async #find (): Promise<{ text: string, stats: Stats } | null> {
    return await this.#explained('cannot be read', async () => {
      const file = await openIfThere(this.#path)
      if (file === null) return null
      try {
        const stats = await file.stat()
        if (!stats.isFile()) throw new Error('it is no file')
        this.#refuseOpenToOthers(stats)
        return { text: await file.readFile('utf8'), stats }
      } finally {
        await file.close()
      }
    })
  }

  #refuseOpenToOthers ({ mode }: Stats): void {
    // Windows has other permissions, which Node does not show.
    if (this.#othersMayRead || process.platform === 'win32' || (mode & OF_OTHERS) === 0) return
    const found = (mode & PERMISSIONS).toString(8).padStart(4, '0')
    throw new KeyringUnavailableError(`${this.name} is open to others than its owner (mode ${found}): "chmod 600" it, ` +
      'or where that cannot be, as in a mounted Kubernetes secret, allow it: fileKeyring(path, { othersMayRead: true }), or --others-may-read')
  }

  async #obtain ({ fd }: FileHandle): Promise<void> {
    // Loaded here, since servers that only read do not need it.
    const { tryLock } = require('fs-native-extensions') as { tryLock (fd: number): boolean }
    for (let waitedMs = 0; !tryLock(fd); waitedMs += LOCK_STEP_MS) {
      if (waitedMs >= LOCK_PATIENCE_MS) throw new KeyringUnavailableError(`${this.name} is locked by another process for more than ${LOCK_PATIENCE_MS / 1000} seconds`)
      await pause(LOCK_STEP_MS)
    }
  }

  async #explained<T> (what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw error instanceof KeyringUnavailableError ? error : new KeyringUnavailableError(`${this.name} ${what}: ${(error as Error).message}`)
    }
  }
}

function pathOf (path: unknown): string {
  if (typeof path === 'string' && path !== '' && !IS_URL.test(path)) return resolve(path)
  try {
    return fileURLToPath(path as string)
  } catch {
    throw new InvalidOptionError('fastify-sealed-session: the keyring file must be given as a path or a "file:" URL; a ring in Redis as redisKeyring(client)')
  }
}

async function openIfThere (path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** The old text is there until the new one is, whole and on the disk. Called under the lock, so the temporary file is nobody else's. */
async function replaceFile (path: string, text: string, former: Stats | undefined): Promise<void> {
  const temporary = `${path}.tmp`
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', MODE)
  try {
    if (former !== undefined) {
      await keepOwner(file, former)
      await file.chmod(former.mode & PERMISSIONS)
    }
    await file.writeFile(text)
    await file.sync()
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  } finally {
    await file.close()
  }
  await syncFolder(dirname(path))
}

/** The group matters only where it may do something. */
async function keepOwner (file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const stats = await file.stat()
  if (stats.uid !== uid || (stats.gid !== gid && (mode & OF_GROUP) !== 0)) await file.chown(uid, gid)
}

/** So that the rename outlives a power failure. Windows cannot open folders. */
async function syncFolder (path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
