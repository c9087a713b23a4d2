import { readFileSync } from 'node:fs'
import { certificateFor } from '../helpers/certificate'
import { ANSWERS, CLOSED, CONNECTIONS, GROWTH, MEMORY, Round, ROUND_TRIPS } from './hostile-round'
import type { Given } from './hostile-settings'
import { readOptions } from './options'
import { loadPackage } from './package-under-test'
import { prove, type Started } from './prove'
import { Report } from './report'
import { Ring } from './ring'

/**
 * No request ends the process: one server after the other, each with other options, under requests that are malformed,
 * cut off, pipelined, upgraded and reset, with stores that are slow, dead or wrong, and handlers that fail in all ways.
 * A server catches nothing: what would end a process ends it, and that is a violation.
 *
 *     node --import ./test/loader/register.mjs test/proofs/hostile-requests.ts --seconds 120
 *
 * Each server has a seed of its own; `--seed` with that of a failure begins with that server. With `--go-on` a failure
 * does not end the run.
 */
const options = readOptions({ seconds: 20, seed: 1 + Date.now() % 1_000_000, 'go-on': false })

const SERVERS = 'servers'

const report = new Report(`hostile requests, seed ${options.seed}`)
report.expect(SERVERS, CONNECTIONS, ANSWERS, ROUND_TRIPS, CLOSED, GROWTH, MEMORY)
report.want(1, ANSWERS)

async function proof (started: Started): Promise<void> {
  const given = await gather(started)
  const endsAtMs = Date.now() + options.seconds * 1000
  for (let seed = options.seed; seed === options.seed || Date.now() < endsAtMs; seed++) {
    report.add(SERVERS)
    const isGood = await new Round(seed, given, report).run(server => {
      started.endWith(async () => { await server.kill() })
    })
    if (!isGood && !options['go-on']) return
  }
}

async function gather (started: Started): Promise<Given> {
  const { file } = await Ring.inFile(loadPackage(options.package), started)
  if (file === null) throw new Error('the ring is in no file')
  const ring = { file, text: readFileSync(file, 'utf8') }
  return { package: options.package, certificate: certificateFor(['localhost']), ring }
}

prove(report, proof)
