// What a court is doing, from the court's own word and from the sessions its reader may see. Pure.
import type { PreviewInfo, RecordingStatus, Session, Terrain } from '../../api/model';

export type CourtState =
  | { kind: 'free' | 'offline' | 'no_camera' | 'disabled' }
  /** Without a session it is somebody else's, and nothing of it may be touched. */
  | { kind: 'recording'; session?: Session; by?: string | null; until?: string | null }
  | { kind: 'reserved'; session?: Session };

export function courtState(terrain: Terrain, sessions: readonly Session[]): CourtState {
  const session = sessions.find((known) => known.terrain_id === terrain.id);
  if (session?.recording_active) return { kind: 'recording', session };
  switch (terrain.status) {
    case 'recording':
      // Our own that has just ended: the list of sessions is asked for more often than the list of courts.
      return session
        ? { kind: 'reserved', session }
        : { kind: 'recording', by: terrain.recording_by, until: terrain.recording_until };
    case 'disabled':
      return { kind: 'disabled' };
    case 'no_camera':
      return { kind: 'no_camera' };
    case 'camera_offline':
      return { kind: 'offline' };
    case 'reserved':
      return { kind: 'reserved', session };
    case 'ready':
      return session ? { kind: 'reserved', session } : { kind: 'free' };
  }
}

/** Whether the reader may begin a recording there. */
export const mayStart = (state: CourtState): boolean =>
  state.kind === 'free' || (state.kind === 'reserved' && state.session !== undefined);

/** Whole percents of the planned time, rounded down as the server does. */
export function progressOf(elapsed: number, planned: number): number {
  if (!(planned > 0)) return 0;
  return Math.min(100, Math.floor((Math.max(0, elapsed) * 100) / planned));
}

/** Planned seconds of a running recording: its own answer, else what the session says. */
export const plannedOf = (session: Session, status?: RecordingStatus): number =>
  status?.duration_seconds ?? session.duration_seconds ?? 0;

export type PreviewHealth = 'unknown' | 'good' | 'slow' | 'lost';

/** A picture older than this is not live any more. */
const SLOW_MS = 1500;
const LOST_MS = 4000;

export function previewHealth(info: PreviewInfo | undefined): PreviewHealth {
  if (!info) return 'unknown';
  if (!info.source_connected) return 'lost';
  const age = info.last_frame_age_ms;
  if (age === null || age === undefined) return info.viewers > 0 ? 'slow' : 'unknown';
  return age > LOST_MS ? 'lost' : age > SLOW_MS ? 'slow' : 'good';
}

/** Courts by club, both in the order of their names as people read them (Court 2 before Court 10); closed ones last. */
export function byClub(terrains: readonly Terrain[], language: string): [string, Terrain[]][] {
  const order = new Intl.Collator(language, { numeric: true }).compare;
  const clubs = new Map<string, Terrain[]>();
  for (const terrain of terrains) clubs.set(terrain.club_name, [...(clubs.get(terrain.club_name) ?? []), terrain]);
  return [...clubs]
    .sort(([a], [b]) => order(a, b))
    .map(([club, courts]) => [
      club,
      courts.sort((a, b) => Number(b.enabled) - Number(a.enabled) || order(a.name, b.name)),
    ]);
}
