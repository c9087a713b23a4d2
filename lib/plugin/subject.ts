import { describe, invalid } from '../checks'
import type { ResolvedOptions } from '../options/options'
import { hashOfSubject } from '../revocation/keys'
import type { SessionPolicy } from '../session/policy'
import { viewOf } from '../session/view'

/** Sealed where the app says that nobody is logged in. */
const NOBODY = Buffer.alloc(0)

/** Who is logged in by a session, hashed, as the option `subject` says it. Throws FST_SESSION_INVALID_OPTION for what it must not return. */
export function subjectsOf ({ subject, sessionName }: Pick<ResolvedOptions, 'subject' | 'sessionName'>): SessionPolicy['subjectOf'] {
  if (subject === null) return null
  return session => {
    const named = subject(viewOf(session) as never)
    return named === undefined || named === null ? NOBODY : hashOfSubject(sessionName, subjectText(named, 'option "subject" must return'))
  }
}

/** Throws FST_SESSION_INVALID_OPTION. The empty text would be one subject for all whose id is missing. */
export function subjectText (subject: unknown, where: string): string {
  const isNumber = typeof subject === 'number' && Number.isFinite(subject)
  if (isNumber || (typeof subject === 'string' && subject !== '')) return String(subject)
  throw invalid(`${where} a string that is not empty, or a number; found ${describe(subject)}`)
}
