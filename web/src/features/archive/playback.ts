// The arithmetic of the player: speeds, steps, what lies where on the timeline. Pure.
import type { Gap, Marker, Video } from '../../api/model';

export const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4, 8] as const;

/** The next speed for another press of L: doubling from 1 to 8. */
export function faster(rate: number): number {
  return rate >= 8 ? 8 : rate < 1 ? 1 : rate >= 4 ? 8 : rate >= 2 ? 4 : 2;
}

export interface Mark {
  /** Shares of the whole, 0–1. */
  left: number;
  width: number;
  gap: Gap;
}

/** Holes as parts of the timeline; those that last are drawn to the end. */
export function gapMarks(video: Pick<Video, 'gaps' | 'duration_seconds'>): Mark[] {
  const whole = video.duration_seconds;
  if (!(whole > 0)) return [];
  return video.gaps.flatMap((gap) => {
    const length = gap.to ? (Date.parse(gap.to) - Date.parse(gap.from)) / 1000 : whole - gap.at_seconds;
    const left = Math.min(1, Math.max(0, gap.at_seconds / whole));
    const right = Math.min(1, Math.max(left, (gap.at_seconds + length) / whole));
    return left >= 1 ? [] : [{ left, width: right - left, gap }];
  });
}

/** The hole at that moment, if there is one. */
export function gapAt(marks: Mark[], ratio: number): Gap | undefined {
  return marks.find((mark) => ratio >= mark.left && ratio < mark.left + mark.width)?.gap;
}

/** Where the file is; `inline` plays it in the page. */
export function fileUrl(video: Video, inline: boolean): string {
  const query = new URLSearchParams({ club_id: String(video.club_id), recording_id: String(video.recording_id) });
  if (inline) query.set('inline', '1');
  return `/api/video/files/${encodeURIComponent(video.session_id)}/download?${query}`;
}

/** A marker of this recording, at a known place in it. */
export type PlacedMarker = Marker & { offset_seconds: number };

/** The markers of that recording, in the order of the film. */
export function placed(markers: readonly Marker[], recording: number): PlacedMarker[] {
  return markers
    .filter(
      (marker): marker is PlacedMarker =>
        marker.recording_id === recording && typeof marker.offset_seconds === 'number',
    )
    .sort((a, b) => a.offset_seconds - b.offset_seconds);
}

/** A jump lands at least this far away, so that pressing the key twice moves on. */
const NEXT_SECONDS = 0.5;

/** Where the next (or previous) marker is. */
export function markerFrom(markers: readonly PlacedMarker[], at: number, step: 1 | -1): number | undefined {
  const places = markers.map((marker) => marker.offset_seconds);
  return step > 0
    ? places.find((place) => place > at + NEXT_SECONDS / 10)
    : places.findLast((place) => place < at - NEXT_SECONDS);
}

/** The part that was chosen, in seconds. */
export interface Part {
  from: number | null;
  to: number | null;
}
export const WHOLE: Part = { from: null, to: null };

/** Sets the beginning; an end before it is forgotten. */
export const withFrom = (part: Part, at: number): Part => ({
  from: at,
  to: part.to !== null && part.to > at ? part.to : null,
});
/** Sets the end; a beginning after it is forgotten. */
export const withTo = (part: Part, at: number): Part => ({
  from: part.from !== null && part.from < at ? part.from : null,
  to: at,
});

/** Shorter parts are a slip of the finger. */
export const SHORTEST_SECONDS = 0.2;

/** The chosen part with its open ends filled in, or null when nothing was chosen or nothing is left. */
export function closedPart(part: Part, length: number): { from: number; to: number } | null {
  if (part.from === null && part.to === null) return null;
  const from = Math.max(0, part.from ?? 0);
  const to = Math.min(length, part.to ?? length);
  return to - from >= SHORTEST_SECONDS ? { from, to } : null;
}

/** What repeating repeats: the chosen part, else what lies between the markers around the playhead, else everything. */
export function loopOf(part: Part, markers: readonly PlacedMarker[], at: number, length: number) {
  const chosen = closedPart(part, length);
  if (chosen) return chosen;
  const places = markers.map((marker) => marker.offset_seconds);
  const from = places.findLast((place) => place <= at) ?? 0;
  const to = places.find((place) => place > at) ?? length;
  return { from, to };
}

/** That part of a finished recording, as a file of its own. */
export function clipUrl(video: Video, part: { from: number; to: number }): string {
  const query = new URLSearchParams({
    from: part.from.toFixed(3),
    to: part.to.toFixed(3),
    club_id: String(video.club_id),
    recording_id: String(video.recording_id),
  });
  return `/api/video/files/${encodeURIComponent(video.session_id)}/clip?${query}`;
}
