import type { Report } from './report'

type CleanUp = () => unknown

/** What was started and must end with the program, the last first. */
export class Started {
  readonly #cleanUps: CleanUp[] = []

  endWith (cleanUp: CleanUp): void {
    this.#cleanUps.push(cleanUp)
  }

  async end (): Promise<void> {
    for (let cleanUp = this.#cleanUps.pop(); cleanUp !== undefined; cleanUp = this.#cleanUps.pop()) {
      try {
        await cleanUp()
      } catch (error) {
        console.error(error)
      }
    }
  }
}

/** Runs a proof and exits with its verdict: 0 or 1. All it started ends with it, also after a failure or Ctrl-C. */
export function prove (report: Report, proof: (started: Started) => Promise<void>): void {
  const started = new Started()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      started.end().finally(() => { process.exit(1) })
    })
  }
  run(report, started, proof).then(isProven => { process.exit(isProven ? 0 : 1) })
}

async function run (report: Report, started: Started, proof: (started: Started) => Promise<void>): Promise<boolean> {
  try {
    await proof(started)
  } catch (error) {
    report.violation(`the program failed: ${(error as Error).stack}`)
  }
  await started.end()
  return report.close()
}
