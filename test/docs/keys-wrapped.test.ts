import { execFile } from 'node:child_process'
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { freshFolder } from '../helpers/installed'
import { plainEnv } from '../helpers/process'
import { block, RING_PATH, ROOT } from './keys-page'

const run = promisify(execFile)
const TOKEN = 'token of the test'

/** Of the transit engine of Vault, what the page uses: one key in versions, of which the newest encrypts. */
class Transit {
  readonly keys = [randomBytes(32)]
  readonly asked: string[] = []
  readonly server = createServer((request, response) => {
    json(request).then(body => {
      const name = /^\/v1\/transit\/(encrypt|decrypt)\/session-keyring$/.exec(request.url as string)?.[1]
      if (name === undefined || request.headers['x-vault-token'] !== TOKEN) return response.writeHead(403).end('{}')
      this.asked.push(name)
      const { plaintext = '', ciphertext = '' } = body as Record<string, string>
      const data = name === 'encrypt'
        ? { ciphertext: this.#encrypted(Buffer.from(plaintext, 'base64')) }
        : { plaintext: this.#decrypted(ciphertext).toString('base64') }
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ data }))
    }, () => { response.writeHead(400).end('{}') })
  })

  #encrypted (plaintext: Buffer): string {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.keys.at(-1) as Buffer, nonce)
    const bytes = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    return `vault:v${this.keys.length}:${bytes.toString('base64')}`
  }

  #decrypted (ciphertext: string): Buffer {
    const [, version, text] = /^vault:v(\d+):(.+)$/.exec(ciphertext) as unknown as [string, string, string]
    const bytes = Buffer.from(text, 'base64')
    const decipher = createDecipheriv('aes-256-gcm', this.keys[Number(version) - 1] as Buffer, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(-16))
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
  }
}

async function site (t: Test): Promise<{ kms: Transit, path: string, node: (script: string) => Promise<string>, cli: (command: string) => Promise<string> }> {
  const kms = new Transit()
  kms.server.listen(0, '127.0.0.1')
  await once(kms.server, 'listening')
  t.teardown(() => { kms.server.close() })
  const { port } = kms.server.address() as AddressInfo
  const folder = freshFolder(t)
  const path = join(folder, 'keys.json')
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(ROOT, join(folder, 'node_modules/fastify-sealed-session'))
  symlinkSync(join(ROOT, 'node_modules/fastify'), join(folder, 'node_modules/fastify'))
  writeFileSync(join(folder, 'wrapping.mjs'), block(t, 'js', '// wrapping.mjs'))
  const env = plainEnv({ VAULT_ADDR: `http://127.0.0.1:${port}`, VAULT_TOKEN: TOKEN })
  const node = async (...args: string[]): Promise<string> => (await run(process.execPath, args, { cwd: folder, env })).stdout
  return {
    kms,
    path,
    node: async script => {
      writeFileSync(join(folder, 'server.mjs'), script.replaceAll(RING_PATH, path))
      return await node('server.mjs')
    },
    cli: async command => {
      const words = command.replaceAll(RING_PATH, path).trim().split(/\s+/).slice(2)
      return await node(join(ROOT, 'dist/lib/cli/main.js'), ...words)
    }
  }
}

t.test('docs/keys.md: a keyring whose data key a KMS wraps is made, read by a server, and changes its wrapping key', async t => {
  const { kms, path, node, cli } = await site(t)
  await cli(block(t, 'sh', `init --keyring ${RING_PATH} --wrapping`))
  const stored = readFileSync(path, 'utf8')
  t.notMatch(stored, '"keys"')
  const server = `import fastify from 'fastify'\nconst app = fastify()\n${block(t, 'js', 'import * as wrapping')}
    await app.ready()
    console.log(app.decodeSecureSession(app.encodeSecureSession(app.createSecureSession({ user: 'ada' }))).get('user'))
    await app.close()`
  t.equal(await node(server), 'ada\n')

  kms.keys.push(randomBytes(32))
  await cli(`npx fastify-sealed-session rewrap --keyring ${RING_PATH} --wrapping ./wrapping.mjs`)
  kms.keys[0] = randomBytes(32)
  t.not(readFileSync(path, 'utf8'), stored)
  t.equal(await node(server), 'ada\n')
  t.strictSame(kms.asked, ['encrypt', 'decrypt', 'decrypt', 'encrypt', 'decrypt'])
})
