/** The settings of one session, from `session.options()`. They are sealed with it. */
export interface OwnSettings {
  readonly idleMs: number | null
  readonly absoluteMs: number | null
  /** The Max-Age of its cookies, counted from each write; null: see `persistent`. */
  readonly maxAgeMs: number | null
  /** Whether its cookie outlives the browser; null: as configured. */
  readonly persistent: boolean | null
  /** Cookie attributes that differ from the configured ones. */
  readonly attributes: Readonly<Record<string, unknown>> | null
}

/** The settings that a request gave. The others stay. */
export type GivenSettings = Partial<OwnSettings>

export const NO_SETTINGS: OwnSettings = Object.freeze({
  idleMs: null, absoluteMs: null, maxAgeMs: null, persistent: null, attributes: null
})

export const NOTHING_GIVEN: GivenSettings = Object.freeze({})

/** Attributes are added to, everything else is replaced. */
export function withGiven<T extends GivenSettings> (settings: T, given: GivenSettings): T {
  if (given.attributes == null) return { ...settings, ...given }
  return { ...settings, ...given, attributes: { ...settings.attributes, ...given.attributes } }
}

export function areSame (a: OwnSettings, b: OwnSettings): boolean {
  return a.idleMs === b.idleMs && a.absoluteMs === b.absoluteMs && a.maxAgeMs === b.maxAgeMs &&
    a.persistent === b.persistent && JSON.stringify(a.attributes) === JSON.stringify(b.attributes)
}
