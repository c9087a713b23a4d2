import { constants, type Stats } from 'node:fs'
import { lstat, open, realpath, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Files that are read whole, and replaced whole or not at all. */

export const MODE = 0o600
export const PERMISSIONS = 0o777
const OF_GROUP = 0o070

export interface WholeFile {
  readonly text: string
  readonly stats: Stats
}

/** The text of a file, or null where there is none. `check` may throw before a byte is read. */
export async function readWhole (path: string, check: (stats: Stats) => void): Promise<WholeFile | null> {
  const file = await openIfThere(path)
  if (file === null) return null
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new Error('it is not a regular file')
    check(stats)
    return { text: await file.readFile('utf8'), stats }
  } finally {
    await file.close()
  }
}

/** What a path leads to: behind a symbolic link it is the file that is replaced, not the link. Throws for a link to nowhere. */
export async function targetOf (path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    const isLink = await lstat(path).then(stats => stats.isSymbolicLink(), () => false)
    if (isLink) throw error
    return path
  }
}

/**
 * Puts a text in the place of a file: the old one is there until the new one is, whole and on the disk. Owner and mode
 * stay as they were. To be called under a lock, so that the temporary file is nobody else's.
 */
export async function replaceWhole (path: string, text: string, former: Stats | null): Promise<void> {
  const temporary = `${path}.tmp`
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', MODE)
  try {
    if (former !== null) {
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
export async function keepOwner (file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const stats = await file.stat()
  if (stats.uid !== uid || (stats.gid !== gid && (mode & OF_GROUP) !== 0)) await file.chown(uid, gid)
}

async function openIfThere (path: string): Promise<FileHandle | null> {
  try {
    // A pipe must not keep us waiting for its other end.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
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
