// Every text colour can be read on every ground it is put on (WCAG 2.2 §1.4.3, AA).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const css = readFileSync(join(import.meta.dirname, '../src/styles/tokens.css'), 'utf8');

function tokens(selector: string): Record<string, string> {
  const block = css.slice(css.indexOf(`${selector} {`)).split('}')[0] ?? '';
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/gi)].map((match) => [match[1], match[2]]));
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

const dark = tokens(':root');
const light = { ...dark, ...tokens(':root[data-theme="light"]') };
const GROUNDS = ['bg', 'surface', 'raised'];
const TEXTS = ['text', 'text-2', 'text-3', 'accent', 'red', 'amber', 'green'];
const PAIRS = [
  ...TEXTS.flatMap((text) => GROUNDS.map((ground) => [text, ground])),
  ['text', 'hover'],
  ['text-2', 'hover'],
  ['on-accent', 'accent-fill'],
  ['on-accent', 'accent-fill-hover'],
  ['on-accent', 'red-fill'],
  ['on-accent', 'red-fill-hover'],
  ['text', 'red-soft'],
  ['red', 'red-soft'],
  ['text', 'amber-soft'],
  ['amber', 'amber-soft'],
  ['text-2', 'accent-soft'],
] as [string, string][];

describe.each([
  ['dark', dark],
  ['light', light],
])('in the %s theme', (_, theme) => {
  it.each(PAIRS)('%s can be read on %s', (text, ground) => {
    expect(contrast(theme[text] ?? '', theme[ground] ?? '')).toBeGreaterThanOrEqual(4.5);
  });
});
