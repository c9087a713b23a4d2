import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { keyedHash } from '../../lib/core/aead'
import { openChallenge, openDeviceKey, openProof, writeChallenge, writeDeviceKey, writeProof } from '../../lib/bound/tokens'
import { readEnvelope, writeEnvelope, type OpenedEnvelope } from '../../lib/core/envelope'
import { LABEL } from '../../lib/core/format'
import { readStamp, writeStamp } from '../../lib/core/stamp'
import { openToken, plaintext, sealToken, type OpenedToken, type TokenKeys } from '../../lib/core/token'
import { keyIdText } from '../../lib/keyring/key-id'
import { fixedTerms, Keyring, type KeyUse } from '../../lib/keyring/keyring'
import { TenantKeys } from '../../lib/keyring/tenant-keys'
import { subjectText } from '../../lib/plugin/definition'
import { hashOfSubject, keyOf, keyOfId, keyOfToken } from '../../lib/revocation/keys'
import { createSealer, type Sealer, type SealerOptions } from '../../lib/sealer'
import { flowIdOf, openTicket, ticketContext } from '../../lib/session/hand-over'
import { contextOf, openPurposeToken, writePurposeToken } from '../../lib/session/purpose-token'
import { appWith } from '../helpers/app'
import { fakeClock } from '../helpers/clock'

interface ValidVector {
  name: string
  use: KeyUse
  cookieName: string
  key: string
  ring?: string[]
  parts: number
  now: number
  idle: number
  absolute: number
  nonce: string
  plaintext: string
  token: string
  session?: { id: string, createdAt: number, renewedAt: number, padTo: number, extensions: { type: number, value: string }[], json?: string, bytes?: string }
  stamp?: { id: string, renewedAt: number, checkedAt: number }
  proof?: { mark: string, provenAt: number }
  device?: { mark: string, x: string, y: string }
  challenge?: { mark: string, askedAt: number, purpose: number }
  ticket?: { from: string, to: string, flow: string, id: string, madeAt: number, expiresAt: number, json: string }
  purposeToken?: { purpose: string, audience: string, id: string, madeAt: number, expiresAt: number, once: boolean, json: string }
}

interface SealedVector {
  name: string
  key: string
  ring?: string[]
  cookieName: string
  now: number
  idle: number
  absolute: number
  token: string
}

interface InvalidVector extends SealedVector {
  reason: string
}

interface StampedVector extends SealedVector {
  stamps: string[]
  reason?: string
  renewedAt?: number
}

interface HeaderVector extends Omit<SealedVector, 'token'> {
  header: string
  json: string | null
  reasons: string[]
}

interface PurposeVector extends Omit<SealedVector, 'idle' | 'absolute'> {
  purpose: string
  audience: string
  reason?: string | undefined
  json?: string | undefined
  once?: boolean
}

interface TenantVector extends Pick<ValidVector, 'name' | 'use' | 'cookieName' | 'key' | 'token'> {
  tenant: string | null
  purpose?: string
  audience?: string
  nonce?: string
  plaintext?: string
  reason?: string
}

interface TicketVector extends Omit<PurposeVector, 'purpose' | 'audience' | 'once' | 'cookieName'> {
  from: string
  to: string
  flow: string
}

interface HashVector {
  name: string
  tenant?: string
  tokenId?: string
  nonce?: string
  sessionName?: string
  subject?: string | number
  id?: string
  hash: string
  storeKey: string
}

function vectors<T> (name: string): T[] {
  return JSON.parse(readFileSync(join(__dirname, `../vectors/${name}.json`), 'utf8')).vectors
}

const keyVectors = vectors<{ name: string, key: string, keyId: string, tokenKeys: { use: string, cookieName: string, tokenKey: string }[] }>('keys')

function material (name: string): Buffer {
  return Buffer.from(keyVectors.find(vector => vector.name === name)?.key as string, 'hex')
}

/** The keys of a reader: those of its ring, or the one that is named. */
function materials ({ key, ring = [key] }: Pick<SealedVector, 'key' | 'ring'>): Buffer[] {
  return ring.map(material)
}

function ring (vector: ValidVector): TokenKeys {
  return new Keyring(fixedTerms(materials(vector))).tokenKeys(vector.use, vector.cookieName)
}

/** The key that sealed a vector, be it the one that seals in the reader's ring or not. */
function sealing ({ key, use, cookieName }: ValidVector): ReturnType<TokenKeys['sealing']> {
  return new Keyring(fixedTerms([material(key)])).tokenKeys(use, cookieName).sealing(0)
}

for (const { name, key, keyId, tokenKeys } of keyVectors) {
  t.test(`the ${name} key has its id, its token keys, and its secret for signing cookies`, async t => {
    const material = Buffer.from(key, 'hex')
    t.equal(keyIdText(material), keyId)
    for (const { use, cookieName, tokenKey } of tokenKeys) {
      t.equal(keyedHash(material, `${LABEL}${use}\0${cookieName}`).toString('hex'), tokenKey)
    }
    const signing = tokenKeys.filter(({ use }) => use === 'signing')
    t.strictSame(new Keyring(fixedTerms([material])).signingSecrets(0), signing.map(({ tokenKey }) => Buffer.from(tokenKey, 'hex').toString('base64url')))
  })
}

for (const vector of vectors<ValidVector>('valid')) {
  t.test(`${vector.name}: opens, and is sealed to the same token`, async t => {
    const context = contextIn(vector)
    const length = (openToken(vector.token, ring(vector), vector.parts, 0, context) as OpenedToken).plaintextBytes
    t.equal(plaintext.toString('hex', 0, length), vector.plaintext)
    const bytes = plaintext.write(vector.plaintext, 'hex')
    t.equal(sealToken(bytes, sealing(vector), vector.parts, Buffer.from(vector.nonce, 'hex'), context), vector.token)
    if (vector.session !== undefined) checkSession(t, vector, vector.session)
    if (vector.stamp !== undefined) checkStamp(t, vector, vector.stamp)
    if (['proof', 'device', 'challenge'].includes(vector.use)) checkBound(t, vector)
    if (vector.purposeToken !== undefined) checkPurposeToken(t, vector, vector.purposeToken)
    if (vector.ticket !== undefined) checkTicket(t, vector, vector.ticket)
  })
}

function contextIn ({ purposeToken, ticket }: ValidVector): Buffer | undefined {
  if (ticket !== undefined) return ticketContext({ ...ticket, flowId: ticket.flow })
  return purposeToken === undefined ? undefined : contextOf(purposeToken.purpose, purposeToken.audience)
}

function checkSession (t: { strictSame: (a: unknown, b: unknown) => unknown, equal: (a: unknown, b: unknown) => unknown }, vector: ValidVector, session: NonNullable<ValidVector['session']>): void {
  const envelope = {
    id: Buffer.from(session.id, 'hex'),
    createdAtMs: session.createdAt,
    renewedAtMs: session.renewedAt,
    extensions: new Map(session.extensions.map(({ type, value }) => [type, Buffer.from(value, 'hex')])),
    customSerializer: session.bytes !== undefined,
    data: session.bytes === undefined ? Buffer.from(session.json as string) : Buffer.from(session.bytes, 'hex')
  }
  const bytes = Buffer.from(vector.plaintext, 'hex')
  const { id, createdAtMs, renewedAtMs, extensions, customSerializer, dataAt, dataEnd } = readEnvelope(bytes, bytes.length) as OpenedEnvelope
  t.strictSame({ id, createdAtMs, renewedAtMs, extensions, customSerializer, data: bytes.subarray(dataAt, dataEnd) }, envelope)
  const serializer = { serialize: () => Buffer.alloc(0), deserialize: (bytes: Buffer) => ({ bytes: bytes.toString('hex') }) }
  const opened = sealerOf(vector, session.bytes === undefined ? {} : { serializer }).open(vector.token)
  t.strictSame(opened.ok && [opened.data, opened.info.id, opened.info.createdAt, opened.info.renewedAt],
    [session.bytes === undefined ? JSON.parse(session.json as string) : { bytes: session.bytes }, session.id, session.createdAt, session.renewedAt])
  const written = writeEnvelope(envelope, session.padTo, plaintext)
  t.equal(sealToken(written, sealing(vector), vector.parts, Buffer.from(vector.nonce, 'hex')), vector.token)
}

function checkStamp (t: { strictSame: (a: unknown, b: unknown) => unknown, equal: (a: unknown, b: unknown) => unknown }, vector: ValidVector, { id, renewedAt, checkedAt }: NonNullable<ValidVector['stamp']>): void {
  const stamp = { id: Buffer.from(id, 'hex'), renewedAtMs: renewedAt, checkedAtMs: checkedAt }
  t.strictSame(readStamp(Buffer.from(vector.plaintext, 'hex'), vector.plaintext.length / 2), stamp)
  t.equal(sealToken(writeStamp(stamp, plaintext), sealing(vector), 1, Buffer.from(vector.nonce, 'hex')), vector.token)
}

/** A token of device bound sessions. */
function checkBound (t: { strictSame: (a: unknown, b: unknown) => unknown, equal: (a: unknown, b: unknown) => unknown }, vector: ValidVector): void {
  const { proof, device, challenge, token } = vector
  const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
  const [keys, seal] = [ring(vector), (length: number) => sealToken(length, sealing(vector), 1, bytes(vector.nonce))]
  if (proof !== undefined) {
    const content = { mark: bytes(proof.mark), provenAtMs: proof.provenAt }
    t.strictSame(openProof(token, keys, 0), content)
    t.equal(seal(writeProof(content, plaintext)), token)
  }
  if (device !== undefined) {
    const content = { mark: bytes(device.mark), x: bytes(device.x), y: bytes(device.y) }
    t.strictSame(openDeviceKey(token, keys, 0), content)
    t.equal(seal(writeDeviceKey(content, plaintext)), token)
  }
  if (challenge !== undefined) {
    const content = { mark: bytes(challenge.mark), askedAtMs: challenge.askedAt, purpose: challenge.purpose as 1 | 2 }
    t.strictSame(openChallenge(token, keys, 0), content)
    t.equal(seal(writeChallenge(content, plaintext)), token)
  }
}

function checkPurposeToken (t: { strictSame: (a: unknown, b: unknown) => unknown, equal: (a: unknown, b: unknown) => unknown }, vector: ValidVector, { purpose, audience, id, madeAt, expiresAt, once, json }: NonNullable<ValidVector['purposeToken']>): void {
  const [context, content] = [contextOf(purpose, audience), { id: Buffer.from(id, 'hex'), madeAtMs: madeAt, expiresAtMs: expiresAt, once }]
  t.strictSame(openPurposeToken(vector.token, ring(vector), context, vector.now), { ...content, data: JSON.parse(json) })
  const written = writePurposeToken({ ...content, json }, plaintext)
  t.equal(sealToken(written, sealing(vector), 1, Buffer.from(vector.nonce, 'hex'), context), vector.token)
}

function checkTicket (t: { strictSame: (a: unknown, b: unknown) => unknown, equal: (a: unknown, b: unknown) => unknown }, vector: ValidVector, { id, madeAt, expiresAt, json, flow, ...parties }: NonNullable<ValidVector['ticket']>): void {
  const [content, { authenticatedAt, createdAt, values }] = [{ id: Buffer.from(id, 'hex'), madeAtMs: madeAt, expiresAtMs: expiresAt }, JSON.parse(json)]
  t.strictSame(openTicket(vector.token, ring(vector), { ...parties, flowId: flow }, vector.now), { ...content, authenticatedAtMs: authenticatedAt, createdAtMs: createdAt, values })
  const written = writePurposeToken({ ...content, once: false, json }, plaintext)
  t.equal(sealToken(written, sealing(vector), 1, Buffer.from(vector.nonce, 'hex'), ticketContext({ ...parties, flowId: flow })), vector.token)
}

/** What `openToken` makes of it, and what the log says. */
async function checkInApp (t: Test, { now, cookieName, purpose, audience, token, reason, json, ...keys }: Omit<PurposeVector, 'name'>): Promise<void> {
  fakeClock(t, now)
  const app = await appWith(t, { key: materials(keys), cookieName })
  const data = await app.secureSession.openToken(purpose, token, audience === '' ? {} : { audience })
  t.strictSame(data, json === undefined ? null : JSON.parse(json))
  t.strictSame(app.lines.flatMap(({ reason }) => reason ?? []), reason === undefined ? [] : [reason])
}

function sealerOf (vector: SealedVector, more: Partial<SealerOptions> = {}): Sealer {
  const { cookieName, now, idle, absolute } = vector
  const limits = { idle: idle / 1000, absolute: absolute / 1000 }
  return createSealer({ key: materials(vector), cookieName, ...limits, now: () => now, ...more })
}

for (const vector of vectors<InvalidVector>('invalid')) {
  t.test(`${vector.name}: ${vector.reason}`, async t => {
    t.strictSame(sealerOf(vector).open(vector.token), { ok: false, reason: vector.reason })
  })
}

for (const vector of vectors<StampedVector>('stamps')) {
  t.test(`a stamp: ${vector.name}`, async t => {
    const { cookieName, now, idle, absolute, token, stamps, reason, renewedAt } = vector
    fakeClock(t, now)
    const app = await appWith(t, { key: materials(vector), cookieName, idle: idle / 1000, absolute: absolute / 1000 })
    app.get('/', async ({ session }) => session.info)
    const cookie = [`${cookieName}=${token}`, ...stamps.map(stamp => `${cookieName}.t=${stamp}`)].join('; ')
    const info = (await app.inject({ url: '/', headers: { cookie } })).json()
    t.match(info, reason === undefined ? { isNew: false, renewedAt } : { isNew: true })
    if (reason !== undefined) t.ok(app.lines.some(line => line['reason'] === reason))
  })
}

for (const vector of vectors<HeaderVector>('headers')) {
  t.test(`a Cookie header: ${vector.name}`, async t => {
    const { cookieName, now, idle, absolute, header, json, reasons } = vector
    fakeClock(t, now)
    const limits = { idle: idle / 1000, absolute: absolute / 1000 }
    const app = await appWith(t, { key: materials(vector), cookieName, ...limits })
    app.get('/', async ({ session }) => ({ isNew: session.info.isNew, data: session.data() }))
    const found = (await app.inject({ url: '/', headers: { cookie: header } })).json()
    t.strictSame(found, json === null ? { isNew: true, data: {} } : { isNew: false, data: JSON.parse(json) })
    t.strictSame(app.lines.flatMap(({ reason }) => reason ?? []), reasons)
  })
}

for (const { name, reason, json, once = false, ...vector } of vectors<PurposeVector>('purposes')) {
  t.test(`a token for a purpose: ${name}`, async t => {
    const keys = new Keyring(fixedTerms(materials(vector))).tokenKeys('purpose', vector.cookieName)
    const opened = openPurposeToken(vector.token, keys, contextOf(vector.purpose, vector.audience), vector.now)
    if (json === undefined) t.strictSame(opened, { ok: false, reason })
    else t.match(opened, { data: JSON.parse(json), once })
    if (!once) await checkInApp(t, { ...vector, reason, json })
  })
}

for (const { name, tenant, use, cookieName, key, token, purpose, audience = '', nonce = '', plaintext: bytes = '', reason } of vectors<TenantVector>('tenants')) {
  t.test(`a token of a tenant: ${name}`, async t => {
    const ring = new Keyring(fixedTerms([material(key)]))
    const keys = (tenant === null ? ring : new TenantKeys(ring, tenant)).tokenKeys(use, cookieName)
    const context = purpose === undefined ? undefined : contextOf(purpose, audience)
    const opened = openToken(token, keys, 1, 0, context)
    if (reason !== undefined) return t.strictSame(opened, { ok: false, reason })
    t.equal(plaintext.toString('hex', 0, (opened as OpenedToken).plaintextBytes), bytes)
    t.equal(sealToken(plaintext.write(bytes, 'hex'), keys.sealing(0), 1, Buffer.from(nonce, 'hex'), context), token)
  })
}

for (const { name, reason, json, token, now, flow: flowId, from, to, ...vector } of vectors<TicketVector>('hand-overs')) {
  t.test(`a ticket of a hand-over: ${name}`, async t => {
    const keys = new Keyring(fixedTerms(materials(vector))).tokenKeys('hand-over', '')
    const opened = openTicket(token, keys, { from, to, flowId }, now)
    if (json === undefined) return t.strictSame(opened, { ok: false, reason })
    const { authenticatedAt: authenticatedAtMs, createdAt: createdAtMs, values } = JSON.parse(json)
    t.match(opened, { authenticatedAtMs, createdAtMs, values })
  })
}

for (const { name, tenant, sessionName, subject, id, tokenId, nonce, hash, storeKey } of vectors<HashVector>('hashes')) {
  t.test(`a hash: ${name}`, async t => {
    if (nonce !== undefined) {
      t.equal(flowIdOf(nonce), storeKey)
    } else if (tokenId !== undefined) {
      t.equal(keyOfToken(Buffer.from(tokenId, 'hex')), storeKey)
    } else if (id !== undefined) {
      t.equal(keyOfId(id), storeKey)
    } else {
      const found = hashOfSubject(sessionName as string, subjectText(subject, 'a vector has'), tenant)
      t.equal(found.toString('hex'), hash)
      t.equal(keyOf(found), storeKey)
    }
    t.equal(Buffer.from(hash, 'hex').toString('base64url'), storeKey)
  })
}
