// Courts as a player meets them: their state, their sessions, what a recording will weigh, its markers and clips.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { del, get, post } from './client';
import type { Cleaned, Clip, Estimate, Marker, PreviewInfo, RecordMode, Session, Target, Terrain } from './model';
import { fetchIdentity, keys, queryClient, usePace } from './queries';
import { startRecording } from './sessions';

/** Every court the reader may see, of all their clubs. */
export function useTerrains() {
  return useQuery({
    queryKey: keys.terrains,
    queryFn: async ({ signal }) => (await get<{ terrains: Terrain[] }>('/api/terrains', signal)).terrains,
    refetchInterval: usePace(30_000, 3000),
  });
}

/** What a recording of that length would weigh, and whether the disk can hold it. */
export const useEstimate = (terrainId: number | undefined, minutes: number) =>
  useQuery({
    queryKey: ['estimate', terrainId, minutes],
    queryFn: async ({ signal }) =>
      (
        await get<{ estimate: Estimate }>(
          `/api/video/record/estimate?terrain_id=${terrainId}&duration_minutes=${minutes}`,
          signal,
        )
      ).estimate,
    enabled: terrainId !== undefined,
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
  });

const INFO_MS = 2000;

/** How the preview of a session does; asked for as often as the state of a recording. */
export const usePreviewInfo = (session: string | undefined) =>
  useQuery({
    queryKey: ['preview', session],
    queryFn: async ({ signal }) =>
      (await get<{ preview: PreviewInfo }>(`/api/preview/${session}/info`, signal)).preview,
    enabled: session !== undefined,
    refetchInterval: INFO_MS,
  });

export const useMarkers = (session: string | undefined) =>
  useQuery({
    queryKey: keys.markers(session ?? ''),
    queryFn: async ({ signal }) =>
      (await get<{ markers: Marker[] }>(`/api/video/session/${session}/markers`, signal)).markers,
    enabled: session !== undefined,
    refetchInterval: usePace(30_000, 8000),
  });

export interface NewMark {
  session: string;
  /** How much of the past the clip holds, 10–120. */
  seconds?: number;
  label?: string;
  clip: boolean;
  /** A place in a recording that is there already, instead of now. */
  recording?: number;
  offset?: number;
}
export interface Marked {
  marker: Marker;
  clip: Clip | null;
  /** Why there is none although one was wanted. */
  clip_error?: string | null;
}

const known = () => queryClient.getQueryData<Session[]>(keys.sessions) ?? [];

export const courtActions = {
  start: ({ target, minutes, mode }: { target: Target; minutes: number; mode?: RecordMode }) =>
    startRecording(target, minutes, known(), mode),
  open: (target: Target) => post<{ session: Session }>('/api/video/session/create', target),
  close: (session: Session) => post('/api/video/session/close', { session_id: session.session_id }),
  cleanUp: async () => (await post<{ cleaned: Cleaned }>('/api/video/cleanup')).cleaned,
  mark: ({ session, recording, offset, ...body }: NewMark) =>
    post<Marked>(`/api/video/session/${encodeURIComponent(session)}/mark`, {
      ...body,
      recording_id: recording,
      offset_seconds: offset,
    }),
  unmark: (marker: Marker) => del(`/api/video/session/${encodeURIComponent(marker.session_id)}/markers/${marker.id}`),
  /** Turns the secret of a scanned code into this browser's sign-in; gives who it is then. */
  enterKiosk: async (pass: string) => {
    await post('/api/auth/kiosk', { pass });
    return fetchIdentity();
  },
};
