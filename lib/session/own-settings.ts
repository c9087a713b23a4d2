/** What `session.options()` gave one session, sealed with it so that it lasts. */
export interface OwnSettings {
  readonly idleMs: number | null
  /** Whether its cookie outlives the browser; null: as configured. */
  readonly persistent: boolean | null
  /** Cookie attributes that differ from the configured ones; the session does not look inside. */
  readonly attributes: Readonly<Record<string, unknown>> | null
}

export const NO_SETTINGS: OwnSettings = Object.freeze({ idleMs: null, persistent: null, attributes: null })

export function areSame (a: OwnSettings, b: OwnSettings): boolean {
  return a.idleMs === b.idleMs && a.persistent === b.persistent && JSON.stringify(a.attributes) === JSON.stringify(b.attributes)
}
