import type {} from 'fastify-sealed-session'

export interface User { name: string }

declare module 'fastify-sealed-session' {
  interface SessionData {
    user: User
    language: string
    cart: { items: string[] }
    visits: number
    failure: number
  }
}
