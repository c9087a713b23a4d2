import type { IncomingMessage, ServerResponse } from 'node:http'
import { ForbiddenException, Injectable, type NestMiddleware } from '@nestjs/common'
import { TokensService } from './tokens.service.js'

/** Reads who comes, from the Cookie header: a middleware is given Node's own request, which has no session. */
@Injectable()
export class VisitorMiddleware implements NestMiddleware {
  constructor (private readonly tokens: TokensService) {}

  use (request: IncomingMessage, response: ServerResponse, next: () => void): void {
    response.setHeader('x-raw-request-has-session', String('session' in request))
    response.setHeader('x-middleware-saw', this.tokens.userIn(request.headers.cookie)?.name ?? 'nobody')
    if (request.headers['x-refuse'] !== undefined) throw new ForbiddenException()
    next()
  }
}
