import type { CookieSerializeOptions } from '@fastify/cookie'

/**
 * Attributes of a cookie, as `setCookie` of `@fastify/cookie` takes them: `path`, `domain`, `httpOnly`, `secure`,
 * `sameSite`, `partitioned`, `priority`, `maxAge` (seconds) and `expires`. An attribute that is undefined counts as not
 * given. `encode` and `signed` are ignored: a sealed cookie is authenticated and needs no encoding.
 * @see https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie
 */
export type CookieOptions = { [K in keyof CookieSerializeOptions]?: CookieSerializeOptions[K] | undefined }
