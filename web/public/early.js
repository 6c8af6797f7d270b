// Runs before the first paint and before the page's own scripts have come. Kept apart from index.html so that the content
// security policy needs no inline script. **What it asks for is used once or not at all** (src/api/early.ts): the page
// works the same without it, only later.
(() => {
  const stored = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      // Storage may be forbidden.
      return null;
    }
  };

  // A light screen never flashes dark.
  const choice = stored('vigie.theme') || 'dark';
  const light = choice === 'light' || (choice === 'system' && matchMedia('(prefers-color-scheme: light)').matches);
  document.documentElement.dataset.theme = light ? 'light' : 'dark';

  // As src/i18n chooses it.
  const known = (tag) => tag === 'fr' || tag === 'en';
  const wanted = [stored('vigie.language') ?? '', ...navigator.languages.map((tag) => tag.slice(0, 2))];
  const language = wanted.find(known) ?? 'en';
  const words = document.currentScript?.dataset[language];
  if (words) {
    const link = document.createElement('link');
    link.rel = 'modulepreload';
    link.href = words;
    document.head.append(link);
  }

  // Who is here; and what that leads to, as far as this browser remembers.
  const next = stored('vigie.here') === '1' ? '/api/cameras' : '/api/setup';
  const paths = location.pathname.startsWith('/kiosk/') ? ['/api/auth/me'] : ['/api/auth/me', next];
  const headers = { Accept: 'application/json', 'Accept-Language': language };
  globalThis.vigieEarly = new Map(
    paths.map((path) => {
      const answer = fetch(path, { headers, credentials: 'same-origin' });
      // Whoever takes it hears of its failure.
      answer.catch(() => undefined);
      return [path, answer];
    }),
  );
})();
