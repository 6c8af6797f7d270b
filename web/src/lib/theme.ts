import { createStoredStore } from './store';

export const THEMES = ['dark', 'light', 'system'] as const;
export type Theme = (typeof THEMES)[number];

/** Read before the first paint by public/early.js, under the same key. */
export const theme = createStoredStore<Theme>('vigie.theme', 'dark', THEMES);

const wantsLight = matchMedia('(prefers-color-scheme: light)');

export function applyTheme() {
  const choice = theme.get();
  const light = choice === 'light' || (choice === 'system' && wantsLight.matches);
  document.documentElement.dataset.theme = light ? 'light' : 'dark';
}

theme.subscribe(applyTheme);
wantsLight.addEventListener('change', applyTheme);
