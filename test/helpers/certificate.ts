import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binaryOf } from './debian'

/** What a TLS server needs, and what a browser that is to trust it. */
export interface Certificate {
  readonly key: string
  readonly cert: string
  /** SHA-256 of the public key (SubjectPublicKeyInfo), in base64: what Chromium's list of trusted keys holds. */
  readonly publicKeyHash: string
}

/** A new key and a certificate for these hosts that it signed itself, good for two days. */
export function certificateFor (hosts: readonly string[]): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  try {
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    execFileSync(binaryOf(['openssl'], 'openssl'), [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
      '-subj', `/CN=${hosts[0]}`, '-addext', `subjectAltName=${hosts.map(host => `DNS:${host}`).join(',')}`, '-keyout', keyFile, '-out', certFile
    ], { stdio: 'pipe' })
    const cert = readFileSync(certFile, 'utf8')
    return { key: readFileSync(keyFile, 'utf8'), cert, publicKeyHash: publicKeyHash(cert) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function publicKeyHash (cert: string): string {
  const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('base64')
}
