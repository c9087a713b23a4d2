import { Controller, Get, Req, Session } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import type secureSession from 'fastify-sealed-session'

/** The three styles of Nest's page on sessions, and what TypeScript must refuse in them. */
@Controller('visits')
export class VisitsController {
  @Get('by-request')
  byRequest (@Req() request: FastifyRequest): number {
    const visits: number | undefined = request.session.get('visits')
    request.session.set('visits', visits === undefined ? 1 : visits + 1)
    return request.session.get('visits') ?? 0
  }

  @Get('by-decorator')
  byDecorator (@Session() session: secureSession.Session): number {
    session.set('visits', (session.get('visits') ?? 0) + 1)
    // @ts-expect-error a number is counted
    const wrong: string | undefined = session.get('visits')
    return Number(wrong)
  }

  @Get('by-property')
  byProperty (@Session() session: secureSession.Session): secureSession.Session {
    session.visits = (session.visits ?? 0) + 1
    // @ts-expect-error no such name
    delete session.vists
    return session
  }
}
