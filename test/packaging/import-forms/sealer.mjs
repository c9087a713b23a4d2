import { createSealer } from 'fastify-sealed-session/sealer'

const sealer = createSealer({ key: Buffer.alloc(32, 1) })
if (sealer.open(sealer.seal({ user: 'ada' })).data.user !== 'ada') throw new Error('not opened')
console.log('ok')
