// Time zones by their IANA names.

/** All that this browser knows, with the one in use and UTC, in order. */
export function timeZones(current: string): string[] {
  return [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC', current])].sort((a, b) => a.localeCompare(b));
}

/** `America/New_York` as people read it. */
export const zoneName = (zone: string) => zone.replaceAll('_', ' ');
