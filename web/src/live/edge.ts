// Keeping a live picture live. **Playback never stays more than a second behind what has arrived**: small lags are
// played away a little faster, large ones are jumped over. Pure, so that it can be tested without a browser.

/** Seconds of media between the playhead and the newest picture that we aim at. */
export const TARGET = 0.25;
/** Above this the playhead jumps. */
export const JUMP = 1;
/** Seconds kept behind the playhead before the buffer is trimmed. */
export const KEEP = 8;

export interface Range {
  start: number;
  end: number;
}

export interface Advice {
  rate: number;
  /** Where to jump, when the lag cannot be played away. */
  seek?: number;
  /** Everything before this may be forgotten. */
  trimTo?: number;
}

/** What to do with the playhead at `position`, given what is buffered (ascending ranges). */
export function advise(position: number, buffered: readonly Range[], rateNow = 1): Advice {
  const newest = buffered.at(-1);
  if (!newest) return { rate: 1 };
  const trim = buffered[0] && position - buffered[0].start > KEEP * 2 ? { trimTo: position - KEEP } : {};
  const landing = Math.max(newest.start, newest.end - TARGET);
  // Outside the newest range the player would stall for ever: a hole, a restart, or the first append.
  if (position < newest.start || position > newest.end + 0.5) return { rate: 1, seek: landing, ...trim };
  const lag = newest.end - position;
  if (lag > JUMP) return { rate: 1, seek: landing, ...trim };
  // Hysteresis: start hurrying at twice the target, stop at the target.
  const hurrying = rateNow > 1;
  if (lag > TARGET * 2 || (hurrying && lag > TARGET)) return { rate: lag > TARGET * 2.5 ? 1.15 : 1.06, ...trim };
  return { rate: 1, ...trim };
}

/** A `TimeRanges` as plain ranges. */
export function ranges(times: TimeRanges): Range[] {
  return Array.from({ length: times.length }, (_, index) => ({ start: times.start(index), end: times.end(index) }));
}
