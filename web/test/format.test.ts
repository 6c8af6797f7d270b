import { expect, it } from 'vitest';
import { clockText, createFormat, dayKey } from '../src/lib/format';

const en = createFormat('en', 'UTC');
const fr = createFormat('fr', 'UTC');
const NOW = new Date(2026, 10, 21, 12, 0, 0);
/** Intl uses several kinds of spaces; the eye sees one. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

it('writes sizes as people of that language do', () => {
  expect(plain(en.bytes(0))).toBe('0 byte');
  expect(plain(en.bytes(999_000))).toBe('999 kB');
  expect(plain(en.bytes(48_300_000))).toBe('48.3 MB');
  expect(plain(en.bytes(2_510_000_000))).toBe('2.51 GB');
  expect(plain(en.bytes(348_000_000_000))).toBe('348 GB');
  expect(plain(fr.bytes(2_510_000_000))).toBe('2,51 Go');
});

it('writes bit rates', () => {
  expect(plain(en.bitrate(3_140_000))).toBe('3.1 Mb/s');
  expect(plain(fr.bitrate(640_000))).toBe('640 kbit/s');
});

it('writes lengths as a clock and in words', () => {
  expect(clockText(0)).toBe('0:00');
  expect(clockText(59.9)).toBe('0:59');
  expect(clockText(3661)).toBe('1:01:01');
  expect(clockText(-3)).toBe('0:00');
  expect(plain(en.length(45))).toBe('45 sec');
  expect(plain(en.length(190))).toBe('3 min 10 sec');
  expect(plain(en.length(1500))).toBe('25 min');
  expect(plain(fr.length(5400))).toBe('1 h 30 min');
});

it('rounds delays to what an eye can tell', () => {
  expect(plain(en.delay(243))).toBe('240 ms');
  expect(plain(fr.delay(1250))).toMatch(/^1,[23] s$/);
});

it('names the days near today', () => {
  expect(en.day(new Date(2026, 10, 21, 3), NOW)).toBe('Today');
  expect(fr.day(new Date(2026, 10, 20, 23, 59), NOW)).toBe('Hier');
  expect(createFormat('en').day(new Date(2026, 10, 16, 8), NOW)).toBe('Monday, November 16');
  expect(createFormat('fr').day(new Date(2025, 10, 16, 8), NOW)).toBe('16 novembre 2025');
});

it('groups by the local calendar day', () => {
  expect(dayKey(new Date(2026, 0, 2, 0, 0, 1))).toBe('2026-01-02');
  expect(dayKey(new Date(2026, 0, 1, 23, 59, 59))).toBe('2026-01-01');
});

it('says how long ago in one unit', () => {
  const ago = (seconds: number) => en.relative(new Date(NOW.getTime() - seconds * 1000), NOW);
  expect(ago(0)).toBe('now');
  expect(ago(42)).toBe('42 seconds ago');
  expect(ago(60 * 5)).toBe('5 minutes ago');
  expect(ago(3600 * 30)).toBe('yesterday');
});
