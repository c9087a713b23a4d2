import { Module } from '@nestjs/common'
import { AccountController } from './account.controller.js'
import { TokensService } from './tokens.service.js'

@Module({ controllers: [AccountController], providers: [TokensService], exports: [TokensService] })
export class AccountModule {}
