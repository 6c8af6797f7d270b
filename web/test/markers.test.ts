// Markers and parts of a recording.
import { describe, expect, it } from 'vitest';
import type { Marker, Video } from '../src/api/model';
import {
  clipUrl,
  closedPart,
  loopOf,
  markerFrom,
  placed,
  WHOLE,
  withFrom,
  withTo,
} from '../src/features/archive/playback';

const marker = (id: number, offset: number | null, recording = 1): Marker => ({
  id,
  session_id: 's',
  recording_id: recording,
  at: '2026-11-21T10:00:00Z',
  offset_seconds: offset,
  label: null,
  user_id: 1,
  clip_recording_id: null,
});

const markers = placed([marker(1, 20), marker(2, null), marker(3, 5), marker(4, 7, 2)], 1);

it('markers of this recording stand in the order of the film', () => {
  expect(markers.map(({ id }) => id)).toEqual([3, 1]);
});

it('the keys go to the next marker and back, also when pressed twice', () => {
  expect(markerFrom(markers, 0, 1)).toBe(5);
  expect(markerFrom(markers, 5, 1)).toBe(20);
  expect(markerFrom(markers, 20, 1)).toBeUndefined();
  expect(markerFrom(markers, 20.2, -1)).toBe(5);
  expect(markerFrom(markers, 30, -1)).toBe(20);
  expect(markerFrom(markers, 5, -1)).toBeUndefined();
});

describe('a part', () => {
  it('has a beginning before its end, whichever is set last', () => {
    expect(withTo(withFrom(WHOLE, 3), 8)).toEqual({ from: 3, to: 8 });
    expect(withTo(withFrom(WHOLE, 8), 3)).toEqual({ from: null, to: 3 });
    expect(withFrom(withTo(WHOLE, 3), 8)).toEqual({ from: 8, to: null });
  });

  it('reaches to the ends of the film where it is open', () => {
    expect(closedPart(WHOLE, 60)).toBeNull();
    expect(closedPart({ from: 10, to: null }, 60)).toEqual({ from: 10, to: 60 });
    expect(closedPart({ from: null, to: 99 }, 60)).toEqual({ from: 0, to: 60 });
    expect(closedPart({ from: 59.95, to: null }, 60)).toBeNull();
  });

  it('is repeated; without one, what lies between the markers around', () => {
    expect(loopOf({ from: 1, to: 2 }, markers, 10, 60)).toEqual({ from: 1, to: 2 });
    expect(loopOf(WHOLE, markers, 10, 60)).toEqual({ from: 5, to: 20 });
    expect(loopOf(WHOLE, markers, 30, 60)).toEqual({ from: 20, to: 60 });
    expect(loopOf(WHOLE, [], 30, 60)).toEqual({ from: 0, to: 60 });
  });

  it('has an address of its own', () => {
    const video = { session_id: 'sess_1_3_17', club_id: 1, recording_id: 9 } as Video;
    expect(clipUrl(video, { from: 12.5, to: 30 })).toBe(
      '/api/video/files/sess_1_3_17/clip?from=12.500&to=30.000&club_id=1&recording_id=9',
    );
  });
});
