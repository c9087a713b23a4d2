'use strict'

const USERS = [
  { id: 1, name: 'ada', password: 'engine', roles: ['member', 'admin'] },
  { id: 2, name: 'grace', password: 'compiler', roles: ['member'] },
  { id: 3, name: 'linus', password: 'kernel', roles: [] }
]

const BOOKS = [
  { id: 'b1', title: 'Notes on the Engine', cents: 1250 },
  { id: 'b2', title: 'Nanoseconds', cents: 900 },
  { id: 'b3', title: 'Just for Fun', cents: 1500 }
]

class Store {
  constructor () {
    this.orders = []
    this.applications = []
  }

  login (name, password) {
    return USERS.find(user => user.name === name && user.password === password)
  }

  user (id) {
    return USERS.find(user => user.id === id)
  }

  users () {
    return USERS.map(({ id, name, roles }) => ({ id, name, roles }))
  }

  books () {
    return BOOKS
  }

  book (id) {
    return BOOKS.find(book => book.id === id)
  }

  order (userId, cart) {
    const order = { id: this.orders.length + 1, userId, lines: cart, cents: cart.reduce((sum, { id, count }) => sum + this.book(id).cents * count, 0) }
    this.orders.push(order)
    return order
  }
}

module.exports = { Store }
