import type { Stats } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FileKeyringOptions, KeyringStore } from '../../types/keyring'
import { InvalidOptionError, KeyringUnavailableError } from '../errors'
import { looksLikeKey } from '../keyring/key-material'
import { underLock } from './file-lock'
import { PERMISSIONS, readWhole, replaceWhole, targetOf, type WholeFile } from './whole-file'

const OF_OTHERS = 0o077
const MOST_BYTES = 1024 ** 2

/** Two letters at least: a drive of Windows has one. */
const IS_URL = /^[a-z][a-z\d+.-]+:/i

/**
 * A keyring in a file. It is written whole: a temporary file, then a rename, under a lock that the system lets go of when
 * its holder dies. Owner and permissions stay as they were, so that root may rotate the keys of another user's servers.
 * Throws FST_SESSION_INVALID_OPTION for what is no path or `file:` URL.
 */
export function fileKeyring (path: string | URL, { othersMayRead = false }: FileKeyringOptions = {}): KeyringStore {
  return new FileKeyring(keyringPath(path), othersMayRead)
}

/**
 * The absolute path of a file that is named by a path or a `file:` URL. Throws FST_SESSION_INVALID_OPTION for anything
 * else, unshown, for it may be a key or hold a password.
 */
export function keyringPath (path: unknown, cwd = process.cwd()): string {
  if (typeof path === 'string' && looksLikeKey(path)) throw invalid('the path of a keyring must be given; found what looks like a key, which is for option "key"')
  if (typeof path === 'string' && path !== '' && !IS_URL.test(path)) return resolve(cwd, path)
  try {
    return fileURLToPath(path as string)
  } catch {
    throw invalid('a keyring file must be given as a path or a "file:" URL; a keyring in Redis as redisKeyring(client), or --redis')
  }
}

class FileKeyring implements KeyringStore {
  readonly name: string
  readonly #path: string
  readonly #othersMayRead: boolean
  #reading: Promise<unknown> = Promise.resolve()
  #updating: Promise<unknown> = Promise.resolve()

  constructor (path: string, othersMayRead: boolean) {
    this.name = `keyring file ${path}`
    this.#path = path
    this.#othersMayRead = othersMayRead
  }

  // One after the other: where a file system hangs, each would hold one of the few threads that all of Node shares.
  async read (): Promise<string | null> {
    const read = this.#reading.then(async () => await this.#read())
    this.#reading = read.catch(ignore)
    return await read
  }

  async update (expected: string | null, next: string): Promise<boolean> {
    const update = this.#updating.then(async () => await this.#update(expected, next))
    this.#updating = update.catch(ignore)
    return await update
  }

  async #read (): Promise<string | null> {
    return await this.#explained('cannot be read', async () => (await this.#find(this.#path))?.text ?? null)
  }

  async #update (expected: string | null, next: string): Promise<boolean> {
    return await this.#explained('cannot be written', async () => {
      const path = await targetOf(this.#path)
      // Now already, so that there never is a lock beside what is no keyring.
      const owner = (await this.#find(path))?.stats ?? null
      const isWritten = await underLock(`${path}.lock`, owner, async () => {
        const found = await this.#find(path)
        // A link may have been turned to another file meanwhile.
        if ((found?.text ?? null) !== expected || await targetOf(this.#path) !== path) return false
        await replaceWhole(path, next, found?.stats ?? null)
        return true
      })
      return isWritten === true
    })
  }

  async #find (path: string): Promise<WholeFile | null> {
    return await readWhole(path, stats => { this.#check(stats) })
  }

  #check ({ mode, size }: Stats): void {
    if (size > MOST_BYTES) throw new Error(`it is larger than any keyring, ${size} bytes`)
    // Windows has other permissions, which Node does not show.
    if (this.#othersMayRead || process.platform === 'win32' || (mode & OF_OTHERS) === 0) return
    const found = (mode & PERMISSIONS).toString(8).padStart(4, '0')
    throw new KeyringUnavailableError(`${this.name} is open to others than its owner (mode ${found}): "chmod 600" it, ` +
      'or where that cannot be, as in a mounted Kubernetes secret, allow it: fileKeyring(path, { othersMayRead: true }), or --others-may-read')
  }

  async #explained<T> (what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw error instanceof KeyringUnavailableError ? error : new KeyringUnavailableError(`${this.name} ${what}: ${(error as Error).message}`)
    }
  }
}

function invalid (message: string): Error {
  return new InvalidOptionError(`fastify-sealed-session: ${message}`)
}

/** Whoever asked is told; the next in the row need not be. */
function ignore (): void {}
