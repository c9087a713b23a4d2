import { Controller, Get, Param, Post } from '@nestjs/common'
import { CartService } from './cart.service.js'

@Controller('cart')
export class CartController {
  constructor (private readonly cart: CartService) {}

  @Get()
  items (): readonly string[] {
    return this.cart.items
  }

  @Post(':item')
  add (@Param('item') item: string): readonly string[] {
    this.cart.add(item)
    return this.cart.items
  }
}
