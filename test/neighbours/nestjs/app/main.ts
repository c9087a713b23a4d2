import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import secureSession from 'fastify-sealed-session'
import { AppModule } from './app.module.js'
import { serve } from './serve.js'

/** Sessions as Nest's own documentation registers them, with this package in the place of the other. */
async function bootstrap (): Promise<void> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter({ logger: { level: 'warn' } }), { logger: ['error', 'warn'] })
  await app.register(secureSession, {
    secret: 'a passphrase of more than thirty-two bytes',
    salt: 'sixteen bytes it'
  })
  app.setGlobalPrefix('api')
  app.getHttpAdapter().getInstance().addHook('onRequest', async (request, reply) => {
    reply.header('x-hook-saw', request.session.get('user')?.name ?? 'nobody')
  })
  await serve(app)
}

bootstrap()
