import cookie = require('@fastify/cookie')
import type { FastifyInstance } from 'fastify'

type Secret = NonNullable<cookie.FastifyCookieOptions['secret']>

const NAME = '@fastify/cookie'

const LEFT_OUT = `${NAME} is not registered, since it needs import(), which is not allowed here: Jest allows it only ` +
  'under node --experimental-vm-modules. Sessions work; request.cookies, reply.setCookie and reply.clearCookie ' +
  'are not there'

/** The codes of the errors that `import()` throws in a `vm` context without module support. */
const NO_IMPORT = ['ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING', 'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING_FLAG']

/**
 * Registers `@fastify/cookie` where the app has not: the app and other plugins may need `request.cookies` and
 * `reply.setCookie`. Sessions do not need it. It loads its parser with `import()`, which fails under Jest: then it is
 * left out, because it would fail the boot.
 * @param secret signs cookies; undefined where no key is of the whole app
 * @param probe tries `import()` where this code runs
 */
export async function registerCookies (
  app: FastifyInstance, secret: Secret | undefined, probe: () => Promise<unknown> = importBuiltin
): Promise<void> {
  if (app.hasPlugin(NAME)) return
  if (await succeeds(probe)) await app.register(cookie, secret === undefined ? {} : { secret })
  else app.log.warn(LEFT_OUT)
}

/** A module of Node.js itself: to import one of a package takes 6 ms more, at each start. */
async function importBuiltin (): Promise<unknown> {
  return await import('node:path')
}

async function succeeds (probe: () => Promise<unknown>): Promise<boolean> {
  try {
    await probe()
    return true
  } catch (error) {
    // Another error is for the registration to report.
    return !NO_IMPORT.includes((error as { code: string }).code)
  }
}
