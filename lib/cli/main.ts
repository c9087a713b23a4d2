#!/usr/bin/env node
import { isatty } from 'node:tty'
import { errorLine } from './errors'
import type { run } from './run'

function fail (error: unknown): void {
  process.exitCode = 1
  process.stderr.write(errorLine(error))
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
  // Loaded here, so that a libsodium that does not load is one line on stderr.
  const cli = require('./run') as { run: typeof run }
  process.exitCode ??= await cli.run(process.argv.slice(2), {
    out: text => { process.stdout.write(text) },
    err: text => { process.stderr.write(text) },
    input: readInput,
    isInputTTY: isatty(0),
    now: () => Date.now(),
    env: process.env,
    cwd: process.cwd()
  })
}

// A reader such as head may close the pipe early: no failure. A full disk is one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') fail(error) })
process.stderr.on('error', () => { process.exitCode = 1 })
process.on('uncaughtException', fail)
main().catch(fail)
