import type { FastifyReply } from 'fastify'

/**
 * Goes on with a request after something was awaited. Fastify catches what follows from a hook that calls `done` at once. What follows
 * from a promise it does not catch in every version: the error would end the process, so it becomes the reply here.
 * @param proceed calls `done` of the hook
 * @param fail calls it with the error
 */
export function resume (reply: FastifyReply, proceed: () => void, fail: (error: Error) => void): void {
  try {
    proceed()
  } catch (error) {
    try {
      fail(error as Error)
    } catch (last) {
      reply.raw.destroy(last as Error)
    }
  }
}

/** Calls `done` of a hook when `work` is done. */
export function resumeAfter (work: Promise<unknown>, reply: FastifyReply, done: (error?: Error) => void): void {
  work.then(() => { resume(reply, done, done) }, error => { resume(reply, () => { done(error) }, done) })
}
