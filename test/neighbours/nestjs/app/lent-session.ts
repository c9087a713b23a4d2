import 'reflect-metadata'
import type { IncomingMessage, ServerResponse } from 'node:http'
import middie from '@fastify/middie'
import { Controller, Get, Module, Session, type MiddlewareConsumer, type NestModule } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import secureSession, { type Session as SealedSession } from 'fastify-sealed-session'
import { serve } from './serve.js'

/** What the middleware of this app is given. */
type LentRequest = IncomingMessage & { readonly session: SealedSession }
type LentResponse = ServerResponse & { commitSession (): void }

/** Counts visits, and answers some requests by itself. */
function countVisits (request: LentRequest, response: LentResponse, next: () => void): void {
  request.session.visits = (request.session.visits ?? 0) + 1
  if (request.headers['x-no-handler'] === undefined) return next()
  response.commitSession()
  response.end('from the middleware')
}

@Controller('visits')
class VisitsController {
  @Get()
  visits (@Session() session: SealedSession): object {
    return session.data()
  }
}

@Module({ controllers: [VisitsController] })
class LentModule implements NestModule {
  configure (consumer: MiddlewareConsumer): void {
    consumer.apply(countVisits).forRoutes('{*path}')
  }
}

/** Middleware that uses the session: it has to run after the plugin, which Nest's own place for it does not. */
async function bootstrap (): Promise<void> {
  const app = await NestFactory.create<NestFastifyApplication>(LentModule, new FastifyAdapter({ skipMiddie: true }), { logger: ['error', 'warn'] })
  await app.register(secureSession, { key: Buffer.alloc(32, 'key') })
  app.getHttpAdapter().getInstance().addHook('onRequest', async (request, reply) => {
    Object.defineProperty(request.raw, 'session', { get: () => request.session })
    Object.defineProperty(reply.raw, 'commitSession', { value: () => reply.commitSession() })
  })
  await app.register(middie)
  await serve(app)
}

bootstrap()
