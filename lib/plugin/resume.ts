import type { FastifyReply } from 'fastify'

/**
 * Continues a request after a promise. Fastify catches what is thrown in `done` if a hook calls it synchronously. After
 * a promise it does not in every version, and the error would end the process: here it becomes the reply.
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
