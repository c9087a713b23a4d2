import { BadRequestException, Controller, Get, Redirect, Res, Session, Sse, StreamableFile } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import type secureSession from 'fastify-sealed-session'
import { of, type Observable } from 'rxjs'

/** One change of the session in all the ways in which Nest replies. */
@Controller('replies')
export class RepliesController {
  @Get('untouched')
  untouched (): object {
    return {}
  }

  @Get('redirect')
  @Redirect('/api/account/profile', 303)
  redirect (@Session() session: secureSession.Session): void {
    session.visits = 1
  }

  @Get('file')
  file (@Session() session: secureSession.Session): StreamableFile {
    session.visits = 1
    return new StreamableFile(Buffer.from('a file'), { type: 'text/plain' })
  }

  @Get('passthrough')
  passthrough (@Session() session: secureSession.Session, @Res({ passthrough: true }) reply: FastifyReply): object {
    session.visits = 1
    reply.header('x-own', 'yes').code(202)
    return {}
  }

  @Get('send')
  send (@Session() session: secureSession.Session, @Res() reply: FastifyReply): void {
    session.visits = 1
    reply.code(202).send({})
  }

  @Get('failure')
  failure (@Session() session: secureSession.Session): void {
    session.visits = 1
    throw new Error('no exception of Nest')
  }

  @Get('bad-request')
  badRequest (@Session() session: secureSession.Session): void {
    session.visits = 1
    throw new BadRequestException()
  }

  /** Nest writes the head of an event stream by itself, past Fastify. */
  @Sse('events')
  events (@Session() session: secureSession.Session, @Res() reply: FastifyReply): Observable<{ data: string }> {
    session.visits = 1
    reply.commitSession()
    return of({ data: 'an event' })
  }

  @Get('raw')
  raw (@Session() session: secureSession.Session, @Res() reply: FastifyReply): void {
    session.visits = 1
    reply.commitSession()
    reply.raw.end('past Fastify')
  }
}
