#!/usr/bin/env node
import { isatty } from 'node:tty'
import type { run } from './run'
import { errorLine } from './text'

/** More characters than any Cookie header has. It bounds the memory for endless input. */
const MOST_INPUT = 16 * 1024 * 1024

function fail (error: unknown): void {
  process.exitCode = 1
  process.stderr.write(errorLine(error))
}

async function readInput (): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk
    if (text.length > MOST_INPUT) throw new Error('stdin has more than 16 MB: give a token or a Cookie header')
  }
  return text
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
