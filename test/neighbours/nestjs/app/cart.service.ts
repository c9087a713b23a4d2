import { Inject, Injectable, Scope } from '@nestjs/common'
import { REQUEST } from '@nestjs/core'
import type { FastifyRequest } from 'fastify'

/** One for each request, whose session it uses. */
@Injectable({ scope: Scope.REQUEST })
export class CartService {
  constructor (@Inject(REQUEST) private readonly request: FastifyRequest) {}

  get items (): readonly string[] {
    return this.request.session.get('cart')?.items ?? []
  }

  /** Changes the list in place once there is one. */
  add (item: string): void {
    const { session } = this.request
    const cart = session.get('cart')
    if (cart === undefined) session.set('cart', { items: [item] })
    else cart.items.push(item)
  }
}
