// The words of the interface are complete, used, and nowhere else.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { fill } from '../src/i18n';
import en from '../src/i18n/en.json';
import fr from '../src/i18n/fr.json';

const SRC = join(import.meta.dirname, '../src');
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), 'utf8') }));

const holes = (sentence: string) => [...sentence.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

/** Every string literal of the sources. */
function literals(): Set<string> {
  const found = new Set<string>();
  for (const { name, text } of files) {
    const visit = (node: ts.Node) => {
      if (ts.isStringLiteralLike(node)) found.add(node.text);
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
  }
  return found;
}

/** Texts that are the same in every language: the product's name, and examples of addresses. */
const NAMES = ['Vigie', 'rtsp://192.168.1.64:554/stream1'];
const READ_BY_PEOPLE = [
  'title',
  'label',
  'placeholder',
  'alt',
  'hint',
  'aria-label',
  'aria-valuetext',
  'action',
  'text',
];

/** Words written into components instead of the language files. */
function literalTexts(name: string, text: string): string[] {
  const found: string[] = [];
  const hasLetters = (words: string) => /\p{L}/u.test(words) && !NAMES.includes(words.trim());
  const visit = (node: ts.Node) => {
    if (ts.isJsxText(node) && hasLetters(node.text)) found.push(node.text.trim());
    if (
      ts.isJsxAttribute(node) &&
      READ_BY_PEOPLE.includes(node.name.getText()) &&
      node.initializer &&
      ts.isStringLiteral(node.initializer) &&
      hasLetters(node.initializer.text)
    )
      found.push(node.initializer.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
  return found;
}

describe('the language files', () => {
  it('have the same keys', () => {
    expect(Object.keys(fr).sort()).toEqual(Object.keys(en).sort());
  });

  it('fill in the same parameters', () => {
    for (const [key, sentence] of Object.entries(en)) {
      expect([key, holes(fr[key as keyof typeof fr])]).toEqual([key, holes(sentence)]);
    }
  });

  it('leave no sentence empty', () => {
    expect([...Object.entries(en), ...Object.entries(fr)].filter(([, sentence]) => sentence.trim() === '')).toEqual([]);
  });

  it('have both forms of every plural', () => {
    const keys = Object.keys(en);
    const bases = keys.filter((key) => /_(one|other)$/.test(key)).map((key) => key.replace(/_(one|other)$/, ''));
    for (const base of bases) expect(keys).toEqual(expect.arrayContaining([`${base}_one`, `${base}_other`]));
  });

  it('hold nothing that no screen uses', () => {
    const used = literals();
    const unused = Object.keys(en).filter((key) => !used.has(key) && !used.has(key.replace(/_(one|other)$/, '')));
    expect(unused).toEqual([]);
  });
});

describe('the components', () => {
  it('hold no text of their own', () => {
    const found = files
      .filter(({ name }) => name.endsWith('.tsx'))
      .flatMap(({ name, text }) => literalTexts(name, text).map((words) => `${name}: ${words}`));
    expect(found).toEqual([]);
  });

  it('would be caught if they did', () => {
    expect(literalTexts('a.tsx', 'const A = () => <p title="Hello">Some words</p>;')).toEqual(['Hello', 'Some words']);
    expect(literalTexts('b.tsx', "const A = () => <p title={t('x')}>· {a} × {b}</p>;")).toEqual([]);
  });
});

it('fills parameters and leaves unknown ones visible', () => {
  expect(fill('{a} of {b}', { a: 1 })).toBe('1 of {b}');
});
