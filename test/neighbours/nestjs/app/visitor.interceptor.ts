import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { tap, type Observable } from 'rxjs'

/** Reads the session after each handler that had no error. */
@Injectable()
export class VisitorInterceptor implements NestInterceptor {
  intercept (context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp()
    const { session } = http.getRequest<FastifyRequest>()
    const reply = http.getResponse<FastifyReply>()
    return next.handle().pipe(tap(() => {
      if (!reply.sent) reply.header('x-interceptor-saw', session.get('user')?.name ?? 'nobody')
    }))
  }
}
