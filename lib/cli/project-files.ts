import { link, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { reasonOf } from '../store-failure'
import { copyOwner, PERMISSIONS, readWhole, targetOf } from '../stores/whole-file'

/**
 * Changes a file of a project atomically: at any time, it has its text of before or all of the new one. The temporary
 * file beside it is also the lock, against another `init` at the same time.
 * @param name for messages
 * @param mode of a new file; an existing file keeps its owner and mode, a symbolic link its target
 * @param change returns the new text; null to leave the file as it is. It gets null if there is no file
 * @returns whether the file was written
 * @throws with a message of one line; the file is then unchanged
 */
export async function changeFile (
  path: string, name: string, mode: number, change: (text: string | null) => string | null
): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true })
    const target = await targetOf(path)
    return await withTemporary(`${target}.init-tmp`, mode, async (file, temporary) => {
      const current = await readWhole(target, () => {})
      if (current?.text.includes('\ufffd')) throw new Error('it is not text in UTF-8')
      const text = change(current?.text ?? null)
      if (text === null) return false
      if (current !== null) {
        await copyOwner(file, current.stats)
        await file.chmod(current.stats.mode & PERMISSIONS)
      }
      await file.writeFile(text)
      await file.sync()
      // A rename would replace a file that was made meanwhile; a link fails.
      await (current === null ? link(temporary, target) : rename(temporary, target))
      return true
    })
  } catch (error) {
    throw new Error(`${name} was not written: ${reasonOf(error)}`)
  }
}

async function withTemporary (
  path: string, mode: number, work: (file: FileHandle, path: string) => Promise<boolean>
): Promise<boolean> {
  const file = await open(path, 'wx', mode).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
    throw new Error(`${path} exists: another init is running, or was interrupted. Remove that file then`)
  })
  try {
    return await work(file, path)
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}

/** The text with one more line at its end, with the line breaks that it has. */
export function withLine (text: string, line: string): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  return `${text}${text === '' || text.endsWith('\n') ? '' : newline}${line}${newline}`
}
