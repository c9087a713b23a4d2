import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { binaryOf } from './debian'
import { plainEnv } from './process'
import { freePort } from './redis-server'

const START_PATIENCE_MS = 10_000

export interface NginxOptions {
  /** Where it passes requests on to, an URL without a path. */
  readonly upstream: string
  /** Further directives of the server and of its one location; without them, all is as nginx has it. */
  readonly server?: string
  readonly location?: string
  /** Directives beside the server, in which `FOLDER` is a folder of its own. */
  readonly http?: string
  /** It ends TLS with these. */
  readonly tls?: { readonly key: string, readonly cert: string }
  /** Over TLS, HTTP/2 as well. */
  readonly http2?: boolean
}

export interface Nginx {
  readonly port: number
  readonly address: string
  /** What it complained of, so far. */
  complaints (): string
}

/** A real nginx as a proxy, in a folder and on a port of loopback of its own. Gone when the test ends. */
export async function nginxBefore (t: Test, options: NginxOptions): Promise<Nginx> {
  const binary = binaryOf(['nginx'], 'nginx-light')
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'))
  const port = await freePort()
  const log = join(folder, 'error.log')
  writeFileSync(log, '')
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, options))
  for (const [name, pem] of Object.entries(options.tls ?? {})) writeFileSync(join(folder, `${name}.pem`), pem, { mode: 0o600 })
  const child = spawn(binary, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', log], { stdio: 'ignore', env: plainEnv() })
  const exit = once(child, 'exit')
  const end = (): void => { child.kill() }
  process.once('exit', end)
  t.teardown(async () => {
    process.off('exit', end)
    end()
    await exit
    rmSync(folder, { recursive: true })
  })
  const complaints = (): string => readFileSync(log, 'utf8')
  await listens(child, port, complaints)
  return { port, address: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, complaints }
}

function configuration (folder: string, port: number, { upstream, server = '', location = '', http = '', tls, http2 = false }: NginxOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${folder}/${kind};`)
  const certificate = tls === undefined ? '' : `ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`
  return `
    daemon off;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    worker_processes 1;
    pid ${folder}/nginx.pid;
    error_log ${folder}/error.log info;
    events { worker_connections 64; }
    http {
      access_log off;
      ${temporary.join('\n')}
      ${http.replaceAll('FOLDER', folder)}
      server {
        listen 127.0.0.1:${port}${tls === undefined ? '' : ' ssl'}${http2 ? ' http2' : ''};
        ${certificate}
        ${server}
        location / {
          proxy_pass ${upstream};
          ${location}
        }
      }
    }`
}

async function listens (child: ChildProcess, port: number, complaints: () => string): Promise<void> {
  for (let waitedMs = 0; waitedMs < START_PATIENCE_MS && child.exitCode === null; waitedMs += 20) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false)
    socket.destroy()
    if (isOpen) return
    await pause(20)
  }
  throw new Error(`nginx did not listen on port ${port}: ${complaints()}`)
}
