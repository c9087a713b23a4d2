import { Injectable } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import type { FastifyAdapter } from '@nestjs/platform-fastify'
import type { User } from './session-data.js'

/** Sessions outside any request. */
@Injectable()
export class TokensService {
  constructor (private readonly host: HttpAdapterHost<FastifyAdapter>) {}

  tokenOf (user: User): string {
    const fastify = this.host.httpAdapter.getInstance()
    return fastify.encodeSecureSession(fastify.createSecureSession({ user }))
  }

  /** The user in the session cookie of a raw request. */
  userIn (cookieHeader: string | undefined): User | undefined {
    const fastify = this.host.httpAdapter.getInstance()
    const token = fastify.parseCookie(cookieHeader ?? '')['session']
    return fastify.decodeSecureSession(token)?.get('user')
  }
}
