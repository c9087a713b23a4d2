/** Waiting, and waiting no longer. */

export async function pause (ms: number): Promise<void> {
  await new Promise<void>(resolve => { setTimeout(resolve, ms) })
}

/** Node takes a longer one for none at all. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What `work` comes to, or `late` if that takes longer than `ms`; `work` then goes on unheard. Keeps no process alive. */
export async function within<T, Late> (ms: number, work: Promise<T>, late: Late): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined
  const isLate = new Promise<Late>(resolve => {
    timer = setTimeout(resolve, ms, late)
    timer.unref()
  })
  try {
    return await Promise.race([work, isLate])
  } finally {
    clearTimeout(timer)
  }
}
