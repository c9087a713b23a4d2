import { constants, type Stats } from 'node:fs'
import { lstat, open, realpath, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Reads whole files, and replaces them atomically. */

export const MODE = 0o600
export const PERMISSIONS = 0o777
const GROUP_PERMISSIONS = 0o070

export interface WholeFile {
  readonly text: string
  readonly stats: Stats
}

/** The text of a file; null if there is no file. `check` may throw before a byte is read. */
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

/** The path behind symbolic links: the file is replaced, not the link. Throws for a link without a target. */
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
 * Replaces the text of a file: writes and syncs a temporary file, then renames it. Call it under a lock, so that no
 * other process uses the temporary file.
 * @param current the stats of the file: its owner and mode are kept; null if there is no file
 */
export async function replaceWhole (path: string, text: string, current: Stats | null): Promise<void> {
  const temporary = `${path}.tmp`
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', MODE)
  try {
    if (current !== null) {
      await copyOwner(file, current)
      await file.chmod(current.mode & PERMISSIONS)
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

/** Gives a file this owner, and this group if the mode gives it permissions. */
export async function copyOwner (file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const stats = await file.stat()
  if (stats.uid !== uid || (stats.gid !== gid && (mode & GROUP_PERMISSIONS) !== 0)) await file.chown(uid, gid)
}

async function openIfThere (path: string): Promise<FileHandle | null> {
  try {
    // O_NONBLOCK: opening a named pipe would wait for its other end.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Syncs a folder, so that a rename survives a power failure. Windows cannot open folders. */
async function syncFolder (path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
