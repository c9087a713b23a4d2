import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'

@Injectable()
export class LoggedInGuard implements CanActivate {
  canActivate (context: ExecutionContext): boolean {
    const { session } = context.switchToHttp().getRequest<FastifyRequest>()
    // Nest would answer 403 to a guard that only says no.
    if (!session.has('user')) throw new UnauthorizedException()
    return true
  }
}
