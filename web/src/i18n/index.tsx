// Words of the interface. **No component holds a sentence: every string is a key of en.json and fr.json**, and
// test/i18n.test.ts fails on a missing key, an unused one, and on literal text in components.
import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from 'react';
import { setApiLanguage } from '../api/client';
import { createFormat, type Format } from '../lib/format';
import type en from './en.json';

export type Language = 'fr' | 'en';
export const LANGUAGES: Language[] = ['fr', 'en'];

type RawKey = keyof typeof en;
type PluralBase<K> = K extends `${infer Base}_other` ? Base : never;
/** A key with one form. */
export type Key = Exclude<RawKey, `${string}_one` | `${string}_other`>;
/** A key with the forms `_one` and `_other`; `{count}` is the number, written in the reader's language. */
export type PluralKey = PluralBase<RawKey>;
type Params = Record<string, string | number>;
export type Dictionary = Record<RawKey, string>;

const STORAGE = 'vigie.language';
const loaders: Record<Language, () => Promise<{ default: Dictionary }>> = {
  en: () => import('./en.json'),
  fr: () => import('./fr.json'),
};

export interface I18n {
  language: Language;
  setLanguage: (language: Language) => void;
  /** The sentence behind a key, `{name}` replaced. */
  t: (key: Key, params?: Params) => string;
  /** The same for a number of things. */
  n: (key: PluralKey, count: number, params?: Params) => string;
  format: Format;
}

const Context = createContext<I18n | null>(null);

/** The language chosen earlier, else the browser's, else English. */
export function preferredLanguage(): Language {
  try {
    const stored = localStorage.getItem(STORAGE);
    if (stored === 'fr' || stored === 'en') return stored;
  } catch {
    // Storage may be forbidden.
  }
  for (const tag of navigator.languages) {
    const short = tag.slice(0, 2);
    if (short === 'fr' || short === 'en') return short;
  }
  return 'en';
}

/** Replaces `{name}` by the parameter of that name. */
export function fill(sentence: string, params?: Params): string {
  if (!params) return sentence;
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => (name in params ? String(params[name]) : whole));
}

export async function loadDictionary(language: Language): Promise<Dictionary> {
  return (await loaders[language]()).default;
}

export function I18nProvider(props: { initial: Language; dictionary: Dictionary; children: ReactNode }) {
  const [state, setState] = useState({ language: props.initial, dictionary: props.dictionary });
  const { language, dictionary } = state;

  const setLanguage = useCallback((next: Language) => {
    void loadDictionary(next).then((loaded) => {
      setState({ language: next, dictionary: loaded });
      try {
        localStorage.setItem(STORAGE, next);
      } catch {
        // The choice then lasts as long as the page.
      }
    });
  }, []);

  useEffect(() => {
    document.documentElement.lang = language;
    setApiLanguage(language);
  }, [language]);

  const value = useMemo<I18n>(() => {
    const plural = new Intl.PluralRules(language);
    const format = createFormat(language);
    return {
      language,
      setLanguage,
      format,
      t: (key, params) => fill(dictionary[key], params),
      n: (key, count, params) => {
        const form = plural.select(count) === 'one' ? 'one' : 'other';
        const sentence = dictionary[`${key}_${form}` as RawKey];
        return fill(sentence, { ...params, count: format.number(count) });
      },
    };
  }, [language, dictionary, setLanguage]);

  return <Context value={value}>{props.children}</Context>;
}

export function useI18n(): I18n {
  const value = use(Context);
  if (!value) throw new Error('useI18n outside I18nProvider');
  return value;
}
