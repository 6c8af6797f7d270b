// Answers that public/early.js asked for while the scripts were still on their way.

/** Older ones may be out of date: the page was slow, or somebody has signed in since. */
const FRESH_MS = 5000;

/** The answer to a `GET` of that path, once; undefined when none was asked for, or too long ago. */
export function early(path: string): Promise<Response> | undefined {
  const asked = (globalThis as { vigieEarly?: Map<string, Promise<Response>> }).vigieEarly;
  const answer = asked?.get(path);
  asked?.delete(path);
  return performance.now() < FRESH_MS ? answer : undefined;
}

/** Those that nobody took are worth nothing after the reader has done something. */
export function forgetEarly() {
  (globalThis as { vigieEarly?: Map<string, Promise<Response>> }).vigieEarly?.clear();
}

const STORAGE = 'vigie.here';

/** Remembers whether somebody is signed in here, so that the next visit asks for the right things first. */
export function rememberHere(here: boolean) {
  try {
    if (here) localStorage.setItem(STORAGE, '1');
    else localStorage.removeItem(STORAGE);
  } catch {
    // Storage may be forbidden; the next visit is then a little slower.
  }
}
