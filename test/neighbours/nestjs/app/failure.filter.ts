import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Notes each failure in the session. What a middleware throws arrives with Node's own request, which has none. */
@Catch()
export class FailureFilter implements ExceptionFilter {
  constructor (private readonly host: HttpAdapterHost) {}

  catch (failure: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp()
    const { session } = http.getRequest<Partial<FastifyRequest>>()
    const status = failure instanceof HttpException ? failure.getStatus() : 500
    session?.set('failure', status)
    this.host.httpAdapter.reply(http.getResponse<FastifyReply>(), { status, hasSession: session !== undefined }, status)
  }
}
