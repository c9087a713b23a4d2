/** Pauses and timeouts. */

export async function pause (ms: number): Promise<void> {
  await new Promise<void>(resolve => { setTimeout(resolve, ms) })
}

/** Calls `work` every `ms` milliseconds, until the function that it gives is called. It keeps no process alive. */
export function every (ms: number, work: () => void): () => void {
  const later = (): NodeJS.Timeout => setTimeout(() => {
    work()
    timer = later()
  }, ms).unref()
  let timer = later()
  return () => { clearTimeout(timer) }
}

/** The longest delay of a timer in milliseconds. Node.js sets a longer delay to 1 ms. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * The result of `work`, or `late` if it takes longer than `ms` milliseconds: a late result is ignored. The timer does
 * not keep the process alive.
 */
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
