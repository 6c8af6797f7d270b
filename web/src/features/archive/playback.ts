// The arithmetic of the player: speeds, steps, what lies where on the timeline. Pure.
import type { Gap, Video } from '../../api/model';

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
