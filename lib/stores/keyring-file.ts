import type { Stats } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FileKeyringOptions, KeyringStore } from '../../types/keyring'
import { invalid } from '../checks'
import { KeyringUnavailableError } from '../errors'
import { looksLikeKey } from '../keyring/key-material'
import { withReason } from '../keyring/stored-keyring'
import { underLock } from './file-lock'
import { PERMISSIONS, readWhole, replaceWhole, targetOf, type WholeFile } from './whole-file'

const OTHERS_PERMISSIONS = 0o077
const MOST_BYTES = 1024 ** 2

/** A scheme of two letters or more: a drive of Windows has one letter. */
const IS_URL = /^[a-z][a-z\d+.-]+:/i

/**
 * A keyring in a file. A write creates a temporary file and renames it, under a lock that the operating system releases
 * when its process ends. Owner and permissions of the file stay, so that root can rotate the keys of another user's
 * servers.
 * @param path a path, or a `file:` URL
 * @param options who may read the file
 * @throws {FST_SESSION_INVALID_OPTION} if `path` is not a path or a `file:` URL
 * @throws {FST_SESSION_KEYRING_UNAVAILABLE} from `read` and `update`, if the file cannot be read or written, or is
 * readable by others than its owner
 * @example
 * const keyring = secureSession.fileKeyring('/etc/app/keys.json', { othersMayRead: true })
 * await app.register(secureSession, { keyring })
 */
export function fileKeyring (path: string | URL, { othersMayRead = false }: FileKeyringOptions = {}): KeyringStore {
  return new FileKeyring(keyringPath(path), othersMayRead)
}

/**
 * The absolute path of a keyring file, from a path or a `file:` URL.
 * @throws FST_SESSION_INVALID_OPTION for any other value, without the value: it may be a key or contain a password
 */
export function keyringPath (path: unknown, cwd = process.cwd()): string {
  if (typeof path === 'string' && looksLikeKey(path)) {
    throw invalid('the path of a keyring must be given; found what looks like a key, for option "key" or --key-env')
  }
  if (typeof path === 'string' && path !== '' && !IS_URL.test(path)) return resolve(cwd, path)
  try {
    return fileURLToPath(path as string)
  } catch {
    throw invalid('a keyring file must be given as a path or a "file:" URL; ' +
      'a keyring in Redis as redisKeyring(client), or --redis')
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

  // Sequential: if the file system hangs, parallel reads would block all threads of the pool that Node shares.
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
    return await withReason(`${this.name} cannot be read`, async () => (await this.#find(this.#path))?.text ?? null)
  }

  async #update (expected: string | null, next: string): Promise<boolean> {
    return await withReason(`${this.name} cannot be written`, async () => {
      const path = await targetOf(this.#path)
      // Checked before the lock is created, so that no lock file appears beside a file that is not a keyring.
      const owner = (await this.#find(path))?.stats ?? null
      const isWritten = await underLock(`${path}.lock`, owner, async () => {
        const found = await this.#find(path)
        // A symbolic link may point to another file by now.
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
    // Windows has other permissions, which Node.js does not report.
    if (this.#othersMayRead || process.platform === 'win32' || (mode & OTHERS_PERMISSIONS) === 0) return
    const found = (mode & PERMISSIONS).toString(8).padStart(4, '0')
    throw new KeyringUnavailableError(
      `${this.name} is open to others than its owner (mode ${found}): "chmod 600" it, ` +
      'or where that cannot be, as in a mounted Kubernetes secret, allow it: ' +
      'fileKeyring(path, { othersMayRead: true }), or --others-may-read')
  }
}

/** The caller gets the error; the next read or update in the queue does not depend on it. */
function ignore (): void {}
