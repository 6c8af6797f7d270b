import { describe, expect, it } from 'vitest';
import type { Gap } from '../src/api/model';
import { may } from '../src/app/permissions';
import { faster, gapAt, gapMarks } from '../src/features/archive/playback';
import { splitCredentials, urlProblem } from '../src/features/cameras/source';
import { fitColumns, fitGrid, neighbour } from '../src/features/wall/layout';

describe('the wall', () => {
  it('makes tiles as large as the room allows', () => {
    expect(fitGrid(1, 1600, 900, 6)).toEqual({ columns: 1, tileWidth: 1600, tileHeight: 900 });
    expect(fitGrid(4, 1600, 900, 0)).toEqual({ columns: 2, tileWidth: 800, tileHeight: 450 });
    expect(fitGrid(3, 2400, 500, 0).columns).toBe(3);
    expect(fitGrid(3, 500, 2400, 0).columns).toBe(1);
  });

  it('never overflows', () => {
    for (let count = 1; count <= 16; count += 1) {
      const { columns, tileWidth, tileHeight } = fitGrid(count, 1111, 777, 6);
      const rows = Math.ceil(count / columns);
      expect(columns * tileWidth + (columns - 1) * 6).toBeLessThanOrEqual(1111);
      expect(rows * tileHeight + (rows - 1) * 6).toBeLessThanOrEqual(777);
    }
  });

  it('has no tile in no room', () => {
    expect(fitColumns(2, 2, 0, 0, 6).tileWidth).toBe(0);
  });

  it('walks by arrows and stops at the edges', () => {
    expect(neighbour(0, 'ArrowRight', 3, 5)).toBe(1);
    expect(neighbour(0, 'ArrowLeft', 3, 5)).toBe(0);
    expect(neighbour(1, 'ArrowDown', 3, 5)).toBe(4);
    expect(neighbour(2, 'ArrowDown', 3, 5)).toBe(2);
    expect(neighbour(4, 'ArrowUp', 3, 5)).toBe(1);
  });
});

describe('a pasted address', () => {
  it('gives up its credentials', () => {
    expect(splitCredentials(' rtsp://admin:p%40ss@10.0.0.4:554/s?a=b@c ')).toEqual({
      url: 'rtsp://10.0.0.4:554/s?a=b@c',
      username: 'admin',
      password: 'p@ss',
    });
  });

  it('keeps an @ inside a password that was not escaped', () => {
    expect(splitCredentials('rtsp://admin:p@ss@cam/1')).toMatchObject({ url: 'rtsp://cam/1', password: 'p@ss' });
  });

  it('stays as it is without any', () => {
    expect(splitCredentials('http://cam/video@2x.mjpg')).toEqual({ url: 'http://cam/video@2x.mjpg' });
    expect(splitCredentials('rtsp://admin@cam/1')).toEqual({
      url: 'rtsp://cam/1',
      username: 'admin',
      password: undefined,
    });
    expect(splitCredentials('rtsp://a:100%@cam/1').password).toBe('100%');
  });

  it('is checked before anybody is asked', () => {
    expect(urlProblem('', true)).toBe('empty');
    expect(urlProblem('192.168.1.4', true)).toBe('scheme');
    expect(urlProblem('ftp://cam/', true)).toBe('scheme');
    expect(urlProblem('rtsp://', true)).toBe('host');
    expect(urlProblem('rtsp://cam/1', true)).toBeNull();
    expect(urlProblem('testcard:', true)).toBeNull();
  });

  it('reaches into the server only for its administrators', () => {
    expect(['testcard:', 'file:///films/1.mp4'].map((url) => urlProblem(url, false))).toEqual(['scheme', 'scheme']);
    expect(urlProblem('rtsps://cam/1', false)).toBeNull();
  });
});

describe('the player', () => {
  const gap = (at: number, length: number | null): Gap => ({
    from: '2026-11-21T10:00:00Z',
    to: length === null ? null : new Date(Date.parse('2026-11-21T10:00:00Z') + length * 1000).toISOString(),
    at_seconds: at,
    cause: 'source_lost',
  });

  it('shows holes where they are', () => {
    const marks = gapMarks({ duration_seconds: 100, gaps: [gap(10, 20), gap(90, null), gap(120, 5)] });
    expect(marks.map(({ left, width }) => [left, Number(width.toFixed(3))])).toEqual([
      [0.1, 0.2],
      [0.9, 0.1],
    ]);
    expect(gapAt(marks, 0.15)?.at_seconds).toBe(10);
    expect(gapAt(marks, 0.5)).toBeUndefined();
  });

  it('shows none of a film without length', () => {
    expect(gapMarks({ duration_seconds: 0, gaps: [gap(0, 1)] })).toEqual([]);
  });

  it('gets faster by steps', () => {
    expect([0.5, 1, 1.5, 2, 4, 8].map(faster)).toEqual([1, 2, 2, 4, 8, 8]);
  });
});

it('a player sees no cameras page, an administrator does', () => {
  expect(may('PLAYER', 'cameras.see')).toBe(false);
  expect(may('PLAYER', 'videos.delete')).toBe(false);
  expect(may('CLUB_ADMIN', 'videos.delete')).toBe(true);
  expect(may('SUPER_ADMIN', 'cameras.manage')).toBe(true);
});
