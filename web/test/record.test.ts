// What courts, previews and lists of videos make of the server's answers.
import { describe, expect, it } from 'vitest';
import type { PreviewInfo, Session, Terrain, Video } from '../src/api/model';
import { byClub, courtState, mayStart, plannedOf, previewHealth, progressOf } from '../src/features/record/courtState';
import { EVERYTHING, groupClips, matches } from '../src/features/record/useVideoList';

const court = (status: Terrain['status'], more: Partial<Terrain> = {}): Terrain => ({
  id: 3,
  club_id: 1,
  club_name: 'Lakeside',
  name: 'Court 3',
  camera_id: 7,
  camera_name: 'Camera 7',
  enabled: true,
  created_at: '2026-11-21T10:00:00Z',
  status,
  session_id: null,
  recording_by: null,
  recording_until: null,
  live: true,
  ...more,
});
const session = (active: boolean, more: Partial<Session> = {}): Session => ({
  session_id: 'sess_1_3_1',
  camera_id: 7,
  terrain_id: 3,
  state: active ? 'RECORDING' : 'SESSION_CREATED',
  created_at: '2026-11-21T10:00:00Z',
  recording_active: active,
  elapsed_seconds: 0,
  ...more,
});

describe('a court', () => {
  it('is free, and may be recorded', () => {
    const state = courtState(court('ready'), []);
    expect(state).toEqual({ kind: 'free' });
    expect(mayStart(state)).toBe(true);
  });

  it('that records is ours when its session can be seen, and nobody’s to touch when it cannot', () => {
    const ours = session(true);
    expect(courtState(court('recording'), [ours])).toEqual({ kind: 'recording', session: ours });
    const told = { recording_by: 'anna', recording_until: '2026-11-21T11:30:00Z' };
    const theirs = courtState(court('recording', told), []);
    expect(theirs).toEqual({ kind: 'recording', by: 'anna', until: told.recording_until });
    expect(mayStart(theirs)).toBe(false);
  });

  it('shows a recording before the list of courts has heard of it, and its end likewise', () => {
    expect(courtState(court('ready'), [session(true)]).kind).toBe('recording');
    expect(courtState(court('recording'), [session(false)]).kind).toBe('reserved');
  });

  it('held by us can be recorded, held by others cannot', () => {
    expect(mayStart(courtState(court('reserved'), [session(false)]))).toBe(true);
    expect(mayStart(courtState(court('reserved'), []))).toBe(false);
  });

  it('ignores the sessions of other courts and of cameras without one', () => {
    const others = [session(true, { terrain_id: 4 }), session(true, { terrain_id: null })];
    expect(courtState(court('ready'), others)).toEqual({ kind: 'free' });
  });

  it('cannot be recorded without a camera, without its camera’s answer, or when the club closed it', () => {
    for (const status of ['no_camera', 'camera_offline', 'disabled'] as const) {
      expect(mayStart(courtState(court(status), []))).toBe(false);
    }
    // A recording goes on while its camera is away.
    expect(courtState(court('camera_offline'), [session(true)]).kind).toBe('recording');
  });

  it('stands with its club, Court 2 before Court 10', () => {
    const names = ['Court 10', 'Court 2', 'Court 1'].map((name, id) => court('ready', { id, name }));
    const [first, second] = byClub([court('ready', { id: 9, club_name: 'Zoo' }), ...names], 'en');
    expect(first?.[0]).toBe('Lakeside');
    expect(first?.[1].map((terrain) => terrain.name)).toEqual(['Court 1', 'Court 2', 'Court 10']);
    expect(second?.[0]).toBe('Zoo');
    const [[, courts] = ['', []]] = byClub([court('disabled', { name: 'A', enabled: false }), court('ready')], 'en');
    expect(courts.map(({ enabled }) => enabled)).toEqual([true, false]);
  });
});

describe('progress', () => {
  it('is rounded down and ends at 100, as the server counts it', () => {
    expect(progressOf(120, 5400)).toBe(2);
    expect(progressOf(5399.9, 5400)).toBe(99);
    expect(progressOf(6000, 5400)).toBe(100);
    expect(progressOf(-1, 5400)).toBe(0);
    expect(progressOf(10, 0)).toBe(0);
  });

  it('takes the planned time from the recording, else from the session', () => {
    expect(plannedOf(session(true, { duration_seconds: 60 }))).toBe(60);
    expect(plannedOf(session(true))).toBe(0);
  });
});

it('a preview is as healthy as its newest picture', () => {
  const info = (more: Partial<PreviewInfo>): PreviewInfo => ({
    session_id: 's',
    active: true,
    viewers: 1,
    width: 1280,
    height: 720,
    fps: 25,
    last_frame_age_ms: 40,
    source_connected: true,
    recording_active: false,
    stream_url: '/stream.mjpeg',
    snapshot_url: '/snapshot.jpg',
    ...more,
  });
  expect(previewHealth(undefined)).toBe('unknown');
  expect(previewHealth(info({}))).toBe('good');
  expect(previewHealth(info({ last_frame_age_ms: 2000 }))).toBe('slow');
  expect(previewHealth(info({ last_frame_age_ms: 9000 }))).toBe('lost');
  expect(previewHealth(info({ source_connected: false }))).toBe('lost');
});

describe('the list of videos', () => {
  const video = (id: number, more: Partial<Video> = {}): Video =>
    ({
      recording_id: id,
      session_id: `sess_${id}`,
      kind: 'session',
      camera_name: 'Camera 7',
      terrain_name: 'Court 3',
      username: 'left',
      filename: `sess_${id}.mp4`,
      created_at: '2026-11-21T10:00:00',
      ...more,
    }) as Video;

  it('hangs clips under what they were cut from, and keeps those whose recording is gone', () => {
    const list = [
      video(5, { kind: 'clip', clip_of: 1 }),
      video(4, { kind: 'clip', clip_of: 99 }),
      video(3, { kind: 'clip', clip_of: null }),
      video(1),
    ];
    expect(groupClips(list).map((entry) => [entry.video.recording_id, entry.clips.map((c) => c.recording_id)])).toEqual(
      [
        [4, []],
        [3, []],
        [1, [5]],
      ],
    );
  });

  it('is filtered by court, day, person and words', () => {
    const one = video(1);
    expect(matches(one, EVERYTHING)).toBe(true);
    expect(matches(one, { ...EVERYTHING, place: 'Court 3', person: 'left', day: '2026-11-21' })).toBe(true);
    expect(matches(one, { ...EVERYTHING, place: 'Court 4' })).toBe(false);
    expect(matches(one, { ...EVERYTHING, day: '2026-11-22' })).toBe(false);
    expect(matches(one, { ...EVERYTHING, person: 'right' })).toBe(false);
    expect(matches(one, { ...EVERYTHING, search: ' COURT  left ' })).toBe(true);
    expect(matches(one, { ...EVERYTHING, search: 'court right' })).toBe(false);
  });
});
