import { Body, Controller, Get, HttpCode, Param, Post, Req, Session, UseGuards } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import type secureSession from 'fastify-sealed-session'
import { CurrentUser } from './current-user.js'
import { LoggedInGuard } from './logged-in.guard.js'
import type { User } from './session-data.js'
import { TokensService } from './tokens.service.js'

@Controller('account')
export class AccountController {
  constructor (private readonly tokens: TokensService) {}

  @Post('language/:language')
  chooseLanguage (@Req() request: FastifyRequest, @Param('language') language: string): secureSession.SessionInfo {
    request.session.set('language', language)
    return request.session.info
  }

  @Post('login')
  login (@Session() session: secureSession.Session, @Body() { name }: User): secureSession.SessionInfo {
    session.regenerate(['language'])
    session.set('user', { name })
    return session.info
  }

  @Get('profile')
  @UseGuards(LoggedInGuard)
  profile (@CurrentUser() user: User, @Session() session: secureSession.Session): object {
    return { user, language: session.language }
  }

  /** A token that works as this user's session, for a client that is no browser. */
  @Get('token')
  @UseGuards(LoggedInGuard)
  token (@CurrentUser() user: User): object {
    return { token: this.tokens.tokenOf(user) }
  }

  @Post('logout')
  @HttpCode(204)
  logout (@Session() session: secureSession.Session): void {
    session.delete()
  }
}
