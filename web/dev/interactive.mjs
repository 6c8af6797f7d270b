// How long the interface takes to be usable on a phone: Chromium, a phone's window, a processor four times slower, an
// empty cache, a server on the same machine. `node dev/interactive.mjs [runs]`; medians in milliseconds.
//
// What is measured, from the moment the address is opened: the first contentful paint; the sign-in form with its field
// focused (it takes keys); the wall with its tiles (it takes touches); a live picture on the wall; and how long the
// main thread was blocked on the way (parts of tasks beyond 50 ms), since a page that hangs is not usable.
import { administer, signIn, until } from '../e2e/api.mjs';
import { chromium } from '../e2e/browser.mjs';
import { startServer } from '../e2e/server.mjs';

const RUNS = Number(process.argv[2] ?? 9);
const CAMERAS = 4;
const SLOWER = 4;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, isMobile: true, hasTouch: true };

/** Runs in the page before its scripts: notes when each of the places appears and when a picture does. */
function watch() {
  const seen = {};
  globalThis.__seen = seen;
  let blocked = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) blocked += Math.max(0, duration - 50);
    seen.blocked = Math.round(blocked);
  }).observe({ type: 'longtask', buffered: true });
  const look = () => {
    const now = performance.now();
    if (document.activeElement?.matches('.auth input')) seen.form ??= now;
    if (document.querySelector('.tile')) seen.wall ??= now;
    const video = document.querySelector('.tile video');
    if (video && video.readyState >= 2 && video.videoWidth > 0) seen.picture ??= now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

async function visit(browser, url, { signedIn, until: wanted }) {
  const context = await browser.newContext(PHONE);
  try {
    if (signedIn) await signIn(context, url);
    const page = await context.newPage();
    // What a browser that has been here before knows, besides its cookies.
    if (signedIn) await page.addInitScript(() => localStorage.setItem('vigie.here', '1'));
    await page.addInitScript(watch);
    const cdp = await context.newCDPSession(page);
    await cdp.send('Network.setCacheDisabled', { cacheDisabled: true });
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
    await page.goto(url, { waitUntil: 'commit' });
    await page.waitForFunction((name) => globalThis.__seen[name] !== undefined, wanted, { timeout: 60_000 });
    return await page.evaluate(() => ({
      ...globalThis.__seen,
      paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
      bytes: performance.getEntriesByType('resource').reduce((sum, entry) => sum + entry.transferSize, 0),
      requests: performance
        .getEntriesByType('resource')
        .map(
          (entry) => `${Math.round(entry.startTime)}–${Math.round(entry.responseEnd)} ${new URL(entry.name).pathname}`,
        ),
    }));
  } finally {
    await context.close();
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const server = await startServer();
const browser = await chromium();
try {
  const call = await administer(server.url);
  const ids = [];
  for (let n = 1; n <= CAMERAS; n += 1) {
    const source = { name: `Camera ${n}`, url: 'testcard:?width=640&height=360&fps=25&gop=25', always_on: true };
    ids.push((await call('POST', '/api/cameras', source)).camera.id);
  }
  await until('the cameras are live', async () =>
    (await call('GET', '/api/cameras')).cameras.every((camera) => camera.streams[0].state === 'live'),
  );
  for (const [name, options] of [
    ['sign-in', { signedIn: false, until: 'form' }],
    ['wall', { signedIn: true, until: 'picture' }],
  ]) {
    const runs = [];
    for (let n = 0; n < RUNS; n += 1) runs.push(await visit(browser, server.url, options));
    const figures = ['paint', 'form', 'wall', 'picture', 'blocked', 'bytes']
      .map((figure) => [figure, runs.map((run) => run[figure]).filter((value) => value !== undefined)])
      .filter(([, values]) => values.length > 0)
      .map(([figure, values]) => `${figure} ${Math.round(median(values))} (max ${Math.round(Math.max(...values))})`);
    console.log(`${name}: ${figures.join(', ')}`);
    if (process.env.VERBOSE) console.log(runs.at(-1).requests.join('\n'));
  }
} finally {
  await browser.close();
  await server.stop();
}
