'use strict'

const STEPS = ['person', 'reasons', 'consent']

/** A form over several pages; what was filled in waits in the session. */
module.exports = async function application (app, { store }) {
  app.addHook('preHandler', async request => {
    if (!request.session.application) request.session.application = { step: 0 }
  })

  app.get('/', async (request, reply) => reply.redirect(`/apply/${STEPS[request.session.application.step] || 'summary'}`))

  app.post('/:step', async (request, reply) => {
    const at = STEPS.indexOf(request.params.step)
    const filled = request.session.get('application')
    if (at === -1 || at > filled.step) throw Object.assign(new Error('one step after the other'), { statusCode: 409 })
    request.session.application = { ...filled, [request.params.step]: request.body, step: Math.max(filled.step, at + 1) }
    return reply.redirect('/apply')
  })

  app.get('/summary', async request => request.session.application)

  app.post('/summary/send', async request => {
    store.applications.push(request.session.application)
    request.session.set('application', null)
    return { sent: store.applications.length, rest: request.session.data() }
  })
}
