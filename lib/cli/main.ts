#!/usr/bin/env node
import { isatty } from 'node:tty'
import { lineOf } from './failure'
import type { run } from './run'

function fail (error: unknown): void {
  process.exitCode = 1
  process.stderr.write(lineOf(error))
}

async function readInput (mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (bytes > mostBytes) break
  }
  return Buffer.concat(chunks)
}

async function main (): Promise<void> {
  // Loaded here, so that where libsodium does not load that is one line, too.
  const cli = require('./run') as { run: typeof run }
  process.exitCode ??= await cli.run(process.argv.slice(2), {
    out: text => { process.stdout.write(text) },
    err: text => { process.stderr.write(text) },
    input: readInput,
    isInputTTY: isatty(0),
    isTTY: isatty(1),
    columns: process.stdout.columns,
    now: () => Date.now(),
    env: process.env,
    cwd: process.cwd()
  })
}

// A reader that has seen enough, such as head, is no failure; a full disk is.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') fail(error) })
process.stderr.on('error', () => { process.exitCode = 1 })
process.on('uncaughtException', fail)
main().catch(fail)
