// The list of videos: what is shown of it, and how it hangs together.
import { useMemo, useState } from 'react';
import type { Video } from '../../api/model';
import { useVideos } from '../../api/queries';
import { dayKey } from '../../lib/format';

export interface VideoFilter {
  /** Name of a court or camera. */
  place: string;
  /** `2026-03-04`, local. */
  day: string;
  person: string;
  search: string;
}
export const EVERYTHING: VideoFilter = { place: '', day: '', person: '', search: '' };

export interface VideoEntry {
  video: Video;
  clips: Video[];
}

export const placeOf = (video: Video): string => video.terrain_name || video.camera_name;

export function matches(video: Video, filter: VideoFilter): boolean {
  if (filter.place && placeOf(video) !== filter.place) return false;
  if (filter.day && dayKey(video.created_at) !== filter.day) return false;
  if (filter.person && video.username !== filter.person) return false;
  const words = filter.search.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [placeOf(video), video.camera_name, video.username, video.filename].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

/**
 * Clips under the recording they were cut from; by themselves when that is gone or was never there. Newest first, as
 * the list came.
 */
export function groupClips(videos: readonly Video[]): VideoEntry[] {
  const recordings = videos.filter((video) => video.kind !== 'clip');
  const byId = new Map(recordings.map((video) => [video.recording_id, video]));
  const parentOf = (clip: Video) => (clip.clip_of ? byId.get(clip.clip_of) : undefined);
  const entries: VideoEntry[] = [];
  for (const video of videos) {
    if (video.kind !== 'clip') {
      entries.push({ video, clips: videos.filter((clip) => clip.kind === 'clip' && parentOf(clip) === video) });
    } else if (!parentOf(video)) entries.push({ video, clips: [] });
  }
  return entries;
}

const PAGE = 30;

export function useVideoList() {
  const videos = useVideos();
  const [filter, setFilter] = useState(EVERYTHING);
  const [limit, setLimit] = useState(PAGE);
  const all = videos.data;
  const facets = useMemo(() => {
    const sorted = (values: (string | null | undefined)[]) =>
      [...new Set(values.filter((value): value is string => Boolean(value)))].sort((a, b) => a.localeCompare(b));
    return {
      places: sorted(all?.map(placeOf) ?? []),
      people: sorted(all?.map((video) => video.username) ?? []),
    };
  }, [all]);
  const entries = useMemo(
    () =>
      groupClips(all ?? []).filter(
        (entry) => matches(entry.video, filter) || entry.clips.some((clip) => matches(clip, filter)),
      ),
    [all, filter],
  );
  return {
    videos,
    ...facets,
    filter,
    filtered: filter !== EVERYTHING && Object.values(filter).some(Boolean),
    setFilter: (part: Partial<VideoFilter>) => {
      setFilter({ ...filter, ...part });
      setLimit(PAGE);
    },
    clear: () => setFilter(EVERYTHING),
    entries: entries.slice(0, limit),
    total: entries.length,
    more: entries.length > limit ? () => setLimit(limit + PAGE) : undefined,
  };
}
