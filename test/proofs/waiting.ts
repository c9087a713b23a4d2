import type { EventEmitter } from 'node:events'

/** Resolves to true once this holds; it is looked at anew at each such event. False when that takes longer than `ms`. */
export async function until (emitter: EventEmitter, event: string, ms: number, holds: () => boolean): Promise<boolean> {
  if (holds()) return true
  return await new Promise(resolve => {
    const done = (): void => {
      clearTimeout(timer)
      emitter.off(event, look)
      resolve(holds())
    }
    const look = (): void => { if (holds()) done() }
    const timer = setTimeout(done, ms)
    emitter.on(event, look)
  })
}
