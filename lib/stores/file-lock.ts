import { constants, type Stats } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { pause } from '../timers'
import { MODE, keepOwner } from './whole-file'

const STEP_MS = 10
const PATIENCE_MS = 10_000

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants

/** The folder may belong to somebody who would have root open, or even hand over, another file: so no link is followed. */
const CAREFULLY = O_RDWR | O_NOFOLLOW | O_NONBLOCK

/**
 * Does something while no other process does so under the same lock, which is a file. The system lets go of a lock when
 * its holder dies. Resolves to null where the lock file was replaced while it was waited for: then nothing was done.
 * @param owner to whom a new lock file is given
 */
export async function underLock<T> (path: string, owner: Stats | null, work: () => Promise<T>): Promise<T | null> {
  const { lock, isNew } = await openLock(path)
  try {
    if (isNew && owner !== null) await keepOwner(lock, owner)
    const { ino, dev, nlink } = await regular(lock)
    if (nlink !== 1) throw new Error(`${path} has other hard links, so it cannot be the lock`)
    await obtain(lock)
    const found = await stat(path).catch(() => null)
    return found?.ino === ino && found.dev === dev ? await work() : null
  } finally {
    await lock.close()
  }
}

async function openLock (path: string): Promise<{ lock: FileHandle, isNew: boolean }> {
  try {
    return { lock: await open(path, CAREFULLY | O_CREAT | O_EXCL, MODE), isNew: true }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return { lock: await open(path, CAREFULLY), isNew: false }
  }
}

async function regular (lock: FileHandle): Promise<Stats> {
  const stats = await lock.stat()
  if (!stats.isFile()) throw new Error('the lock beside it is not a regular file')
  return stats
}

async function obtain ({ fd }: FileHandle): Promise<void> {
  const tryLock = loadTryLock()
  for (let waitedMs = 0; !tryLock(fd); waitedMs += STEP_MS) {
    if (waitedMs >= PATIENCE_MS) throw new Error(`another process has locked it for more than ${PATIENCE_MS / 1000} seconds`)
    await pause(STEP_MS)
  }
}

/** Loaded here, since servers that only read do not need it. */
function loadTryLock (): (fd: number) => boolean {
  try {
    return (require('fs-native-extensions') as { tryLock (fd: number): boolean }).tryLock
  } catch (error) {
    const [reason] = (error as Error).message.split('\n')
    throw new Error(`${reason}. Run "npm install fs-native-extensions" on this platform: its binary must not be copied from another platform, nor be bundled`)
  }
}
