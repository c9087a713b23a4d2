import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import secureSession from '../../index'
import { bareApp, KEY, type TestApp } from '../helpers/app'

export const SUBJECT = (session: secureSession.Session): string | undefined => session.get('user')

/** A document, as far as these tests read it. */
export interface Document {
  readonly openapi: string
  readonly components: { readonly securitySchemes: Record<string, unknown> }
  readonly paths: Record<string, Record<string, Operation>>
}

export interface Operation {
  readonly security?: unknown
  readonly responses: Record<string, any>
}

interface Setting {
  readonly sessions?: secureSession.SessionOptions[]
  /** Security schemes of the app's own. */
  readonly schemes?: Record<string, object>
  readonly version?: string
  readonly swaggerFirst?: boolean
}

type Declare = (app: FastifyInstance) => Promise<void>

const SESSIONS = [{ key: KEY, subject: SUBJECT, openapi: true }]
const BY_HAND = { session: { type: 'apiKey', in: 'cookie', name: 'session', description: 'A sealed session: the browser is given it at login, and sends it by itself.' } } as const

/** An app with sessions and a document, and these routes. */
export async function shop (t: Test, declare: Declare, { sessions = SESSIONS, schemes = {}, version = '3.1.0', swaggerFirst = false }: Setting = {}): Promise<TestApp> {
  const app = bareApp(t)
  const registerSwagger = async (own: object): Promise<void> => {
    const openapi = { openapi: version, info: { title: 'a shop', version: '1.0.0' }, components: { securitySchemes: { ...own, ...schemes } } }
    await app.register(swagger, { openapi: openapi as NonNullable<FastifyDynamicSwaggerOptions['openapi']> })
  }
  if (swaggerFirst) await registerSwagger(BY_HAND)
  await app.register(secureSession, sessions)
  if (!swaggerFirst) await registerSwagger(app.secureSession.securitySchemes)
  await declare(app)
  return app
}

export async function documentOf (app: FastifyInstance): Promise<Document> {
  await app.ready()
  return app.swagger() as unknown as Document
}

export function operation (document: Document, path: string, method = 'get'): Operation {
  return document.paths[path]?.[method] as Operation
}

/** The 401 of a guard, and of one that wants a fresh login. */
export const REQUIRED_REPLY = replyWith(['FST_SESSION_REQUIRED'])
export const STALE_REPLY = replyWith(['FST_SESSION_REQUIRED', 'FST_SESSION_STALE'])

function replyWith (codes: string[]): object {
  return {
    description: /logged in/,
    headers: { 'WWW-Authenticate': { schema: { type: 'string' }, description: String } },
    content: { 'application/json': { schema: { type: 'object', required: ['statusCode', 'code', 'error', 'message'], properties: { code: { type: 'string', enum: codes } } } } }
  }
}
