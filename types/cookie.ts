import type { CookieSerializeOptions } from '@fastify/cookie'

/**
 * Attributes of a cookie, as `setCookie` of `@fastify/cookie` takes them. An attribute that is undefined counts as not
 * given.
 */
export type CookieOptions = { [K in keyof CookieSerializeOptions]?: CookieSerializeOptions[K] | undefined }
