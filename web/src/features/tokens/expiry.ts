// When a token ends.

export const EXPIRIES = ['never', '30', '90', '365', 'date'] as const;
export type Expiry = (typeof EXPIRIES)[number];

const DAY_MS = 86_400_000;

/**
 * The moment a choice means, as RFC 3339; `undefined` for never and for a day that is no day. A chosen day (`2027-03-04`)
 * still counts: the token ends with it, in the reader's zone.
 */
export function expiresAt(choice: Expiry, day: string, now: Date): string | undefined {
  if (choice === 'never') return undefined;
  if (choice !== 'date') return new Date(now.getTime() + Number(choice) * DAY_MS).toISOString();
  const end = new Date(`${day}T23:59:59`);
  return Number.isNaN(end.getTime()) ? undefined : end.toISOString();
}
