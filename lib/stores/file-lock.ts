import { constants, type Stats } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { pause } from '../timers'
import { MODE, copyOwner } from './whole-file'

const RETRY_MS = 10
const TIMEOUT_MS = 10_000

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants

/** No link is followed: the owner of the folder could make root open another file, or change the owner of one. */
const LOCK_FLAGS = O_RDWR | O_NOFOLLOW | O_NONBLOCK

/**
 * Runs `work` under an exclusive lock on a file. The operating system releases the lock when its process ends.
 * @param owner the owner and group of a new lock file; null: those of this process
 * @returns the result of `work`; null if the lock file was replaced during the wait, then `work` was not called
 */
export async function underLock<T> (path: string, owner: Stats | null, work: () => Promise<T>): Promise<T | null> {
  const { lock, isNew } = await openLock(path)
  try {
    if (isNew && owner !== null) await copyOwner(lock, owner)
    const { ino, dev, nlink } = await checkRegular(lock)
    if (nlink !== 1) throw new Error(`${path} has other hard links, so it cannot be the lock`)
    const osLock = osLockOn(lock, path)
    try {
      await waitFor(osLock)
      const current = await stat(path).catch(() => null)
      return current?.ino === ino && current.dev === dev ? await work() : null
    } finally {
      osLock.close()
    }
  } finally {
    await lock.close()
  }
}

async function openLock (path: string): Promise<{ lock: FileHandle, isNew: boolean }> {
  try {
    return { lock: await open(path, LOCK_FLAGS | O_CREAT | O_EXCL, MODE), isNew: true }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return { lock: await open(path, LOCK_FLAGS), isNew: false }
  }
}

async function checkRegular (lock: FileHandle): Promise<Stats> {
  const stats = await lock.stat()
  if (!stats.isFile()) throw new Error('the lock beside it is not a regular file')
  return stats
}

/** An exclusive lock of the operating system. */
interface OsLock {
  tryLock (): boolean
  close (): void
}

interface DenoFile {
  tryLockSync (exclusive: true): boolean
  close (): void
}

/** What Deno has for files: https://docs.deno.com/api/deno/~/Deno.FsFile */
interface Deno {
  openSync (path: string, options: { read: true, write: true }): DenoFile
}

/** The native module uses functions of libuv. Deno has none of them, and its process would end. */
function osLockOn ({ fd }: FileHandle, path: string): OsLock {
  const { Deno } = globalThis as { Deno?: Deno }
  if (Deno !== undefined) {
    const file = Deno.openSync(path, { read: true, write: true })
    return { tryLock: () => file.tryLockSync(true), close: () => { file.close() } }
  }
  const tryLock = loadTryLock()
  return { tryLock: () => tryLock(fd), close () {} }
}

async function waitFor (osLock: OsLock): Promise<void> {
  for (let waitedMs = 0; !osLock.tryLock(); waitedMs += RETRY_MS) {
    if (waitedMs >= TIMEOUT_MS) {
      throw new Error(`another process has locked it for more than ${TIMEOUT_MS / 1000} seconds`)
    }
    await pause(RETRY_MS)
  }
}

/** Loaded on first use: servers that only read do not need it. */
function loadTryLock (): (fd: number) => boolean {
  try {
    return (require('fs-native-extensions') as { tryLock (fd: number): boolean }).tryLock
  } catch (error) {
    const [reason] = (error as Error).message.split('\n')
    throw new Error(`${reason}. Run "npm install fs-native-extensions" on this platform: ` +
      'its binary must not be copied from another platform, nor be bundled')
  }
}
