import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common'
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core'
import { AccountModule } from './account.module.js'
import { CartModule } from './cart.module.js'
import { FailureFilter } from './failure.filter.js'
import { RepliesController } from './replies.controller.js'
import { VisitorInterceptor } from './visitor.interceptor.js'
import { VisitorMiddleware } from './visitor.middleware.js'
import { VisitsController } from './visits.controller.js'

@Module({
  imports: [AccountModule, CartModule],
  controllers: [RepliesController, VisitsController],
  providers: [
    { provide: APP_FILTER, useClass: FailureFilter },
    { provide: APP_INTERCEPTOR, useClass: VisitorInterceptor }
  ]
})
export class AppModule implements NestModule {
  configure (consumer: MiddlewareConsumer): void {
    consumer.apply(VisitorMiddleware).forRoutes('{*path}')
  }
}
