// Every screen as a picture, from the real binary: desktop and phone, dark and light, English and French, and the
// states that are rare in life. `node e2e/shots/shots.mjs [part of a name]…`. All pictures go to docs/screens/all/
// (not committed), the chosen few to docs/screens/.
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { administer, signIn, until } from '../api.mjs';
import { chromium } from '../browser.mjs';
import { waitForMotion } from '../page.mjs';
import { startServer } from '../server.mjs';
import { ADMIN_EMPTY_VIEWS, ADMIN_VIEWS, seedClubs } from './admin-views.mjs';
import { RECORD_EMPTY_VIEWS, RECORD_VIEWS, seedMatches } from './record-views.mjs';
import { makeScenes } from './scenes.mjs';

const OUT = resolve(import.meta.dirname, '../../../docs/screens');
const DEVICES = {
  desktop: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};
const COMMITTED = [
  'setup-desktop-dark-en',
  'live-desktop-dark-en',
  'live-desktop-light-fr',
  'live-phone-dark-en',
  'camera-desktop-dark-en',
  'camera-phone-light-fr',
  'cameras-desktop-light-en',
  'add-camera-desktop-dark-en',
  'record-desktop-dark-fr',
  'archive-desktop-dark-en',
  'courts-desktop-dark-en',
  'courts-phone-light-fr',
  'record-new-phone-dark-en',
  'watch-desktop-dark-en',
  'kiosk-recording-desktop-dark-en',
  'archive-phone-dark-fr',
  'settings-desktop-light-fr',
  'empty-desktop-dark-en',
  'offline-desktop-dark-en',
  'users-desktop-dark-en',
  'clubs-desktop-light-en',
  'audit-desktop-dark-fr',
];

const CAMERAS = [
  ['Court 1', 'court-1'],
  ['Court 2', 'court-2'],
  ['Entrance', 'entrance'],
  ['Car park', 'car-park'],
  ['Terrace', null],
  ['Store room', 'store-room'],
];

/** Fills a server with cameras and recordings; gives what the views need to find them. */
async function seed(base) {
  const call = await administer(base);
  const films = await makeScenes(join(tmpdir(), 'vigie-scenes'));
  const ids = [];
  for (const [name, scene] of CAMERAS) {
    const url = scene ? `file://${films[scene]}` : 'rtsp://127.0.0.1:9/stream1';
    const { camera } = await call('POST', '/api/cameras', { name, url, always_on: true });
    ids.push(camera.id);
  }
  const status = async (id) => (await call('GET', `/api/cameras/${id}`)).camera.streams[0];
  await until('all cameras are live', async () => {
    const states = await Promise.all(ids.map(status));
    return states.every((stream, index) => stream.state === (CAMERAS[index][1] ? 'live' : 'waiting'));
  });
  const record = async (index, seconds) => {
    const { session } = await call('POST', '/api/video/session/create', { camera_id: ids[index] });
    await call('POST', '/api/video/record/start', { session_id: session.session_id, duration_minutes: 90 });
    if (seconds === null) return;
    await new Promise((done) => setTimeout(done, seconds * 1000));
    await call('POST', '/api/video/record/stop', { session_id: session.session_id });
    await call('POST', '/api/video/session/close', { session_id: session.session_id });
  };
  await Promise.all([record(1, 14), record(2, 9), record(3, 6)]);
  await Promise.all([record(0, 11), record(5, 5)]);
  await record(0, null);
  await call('POST', '/api/auth/tokens', { name: 'Home automation', read_only: true });
  await call('POST', '/api/auth/tokens', { name: 'Club website' });
  const { courts } = await seedClubs(call, ids.slice(0, 2));
  const matches = await seedMatches(call, courts);
  const { videos } = await call('GET', '/api/video/files/list?club_id=0');
  return { ids, ...matches, video: videos.find((video) => video.camera_id === ids[1]).recording_id };
}

const pause = (page, ms) => page.waitForTimeout(ms);
const words = (fr, en, language) => (language === 'fr' ? fr : en);

/** name → what to do on the page; `base` is the seeded server, `seeded` what it holds. */
const VIEWS = {
  live: async ({ page }) => {
    await page.goto('/');
    await waitForMotion(page, '.tile video.live-on');
    await pause(page, 2500);
  },
  'live-hover': async ({ page, phone }) => {
    if (phone) return false;
    await page.goto('/');
    await waitForMotion(page, '.tile video.live-on');
    await page.locator('.tile').nth(1).hover();
    await pause(page, 2500);
  },
  'live-four': async ({ page }) => {
    await page.goto('/');
    await page.getByRole('button', { name: /^(Four cameras|Quatre caméras)$/ }).click();
    await waitForMotion(page, '.tile video.live-on');
    await pause(page, 1500);
  },
  camera: async ({ page, seeded }) => {
    await page.goto(`/cameras/${seeded.ids[1]}`);
    await waitForMotion(page, '.camera-player video.live-on');
    await pause(page, 2500);
  },
  'camera-recording': async ({ page, seeded }) => {
    await page.goto(`/cameras/${seeded.ids[0]}`);
    await waitForMotion(page, '.camera-player video.live-on');
    await pause(page, 2500);
  },
  'camera-down': async ({ page, seeded }) => {
    await page.goto(`/cameras/${seeded.ids[4]}`);
    await page.locator('.live-shade').waitFor();
    await pause(page, 800);
  },
  'camera-edit': async ({ page, seeded, language }) => {
    await page.goto(`/cameras/${seeded.ids[4]}`);
    await page.getByRole('button', { name: words('Modifier', 'Edit', language), exact: true }).click();
    await pause(page, 600);
  },
  'camera-delete': async ({ page, seeded, language }) => {
    await page.goto(`/cameras/${seeded.ids[0]}`);
    await page.getByRole('button', { name: words('Autres actions', 'More actions', language) }).click();
    await page.getByRole('button', { name: words('Supprimer la caméra', 'Delete camera', language) }).click();
    await pause(page, 800);
  },
  cameras: async ({ page }) => {
    await page.goto('/cameras');
    await page.locator('.camera-row').first().waitFor();
    await pause(page, 2500);
  },
  'add-camera': async ({ page, language }) => {
    await page.goto('/cameras');
    await page.getByRole('button', { name: words('Ajouter une caméra', 'Add camera', language) }).click();
    await page.getByRole('dialog').waitFor();
    await pause(page, 500);
  },
  'add-camera-works': async ({ page, language }) => {
    await page.goto('/cameras');
    await page.getByRole('button', { name: words('Ajouter une caméra', 'Add camera', language) }).click();
    await page.locator('.form-testcard').click();
    await page.getByRole('button', { name: words('Tester', 'Test', language), exact: true }).click();
    await page.locator('.notice-good').waitFor();
    await page.locator('img.form-picture').waitFor();
    await pause(page, 400);
  },
  'add-camera-fails': async ({ page, language }) => {
    await page.goto('/cameras');
    await page.getByRole('button', { name: words('Ajouter une caméra', 'Add camera', language) }).click();
    await page.locator('dialog input').first().fill('rtsp://admin:secret@127.0.0.1:9/Streaming/Channels/101');
    await page.getByRole('button', { name: words('Tester', 'Test', language), exact: true }).click();
    await page.locator('.notice-bad').waitFor();
    await pause(page, 400);
  },
  record: async ({ page, phone }) => {
    if (phone) return false;
    await page.goto('/');
    await waitForMotion(page, '.tile video.live-on');
    await page.locator('.tile').nth(1).hover();
    await page.locator('.tile').nth(1).locator('.tile-tool-more').click();
    await pause(page, 900);
  },
  recording: async ({ page }) => {
    await page.goto('/');
    await waitForMotion(page, '.tile video.live-on');
    await page.locator('button.rec').first().click();
    await page.getByRole('timer').waitFor();
    await pause(page, 900);
  },
  archive: async ({ page, seeded }) => {
    await page.goto(`/archive/${seeded.video}`);
    await waitForMotion(page, '.player-video');
    await pause(page, 2500);
  },
  'archive-list': async ({ page }) => {
    await page.goto('/archive');
    await page.locator('.video-row').first().waitFor();
    await pause(page, 2000);
  },
  'archive-delete': async ({ page, seeded }) => {
    await page.goto(`/archive/${seeded.video}`);
    await page.locator('.btn-text-danger').click();
    await pause(page, 500);
  },
  settings: async ({ page, language }) => {
    await page.goto('/settings/account');
    await page.getByRole('button', { name: words('Afficher', 'Show', language), exact: true }).click();
    await page.locator('.copy').first().waitFor();
    await pause(page, 300);
  },
  'settings-display': async ({ page }) => {
    await page.goto('/settings/display');
    await pause(page, 600);
  },
  'settings-tokens': async ({ page }) => {
    await page.goto('/settings/tokens');
    await page.locator('.token-list').waitFor();
  },
  'settings-about': async ({ page }) => {
    await page.goto('/settings/about');
    await pause(page, 800);
  },
  shortcuts: async ({ page, phone }) => {
    if (phone) return false;
    await page.goto('/');
    await page.locator('.tile').first().waitFor();
    await page.keyboard.press('?');
    await pause(page, 500);
  },
  'not-found': async ({ page }) => {
    await page.goto('/nowhere');
    await pause(page, 500);
  },
  loading: async ({ page }) => {
    await page.route(/\/api\/cameras(\?|$)/, () => undefined);
    await page.goto('/');
    await page.locator('.skeleton').first().waitFor();
    await pause(page, 600);
  },
  error: async ({ page, language }) => {
    // As the server says it in the page's language.
    const english = 'Something went wrong on our side; the log says what.';
    const error = words('Une erreur est survenue de notre côté ; le journal dit laquelle.', english, language);
    const body = { success: false, code: 'internal', error };
    await page.route(/\/api\/cameras(\?|$)/, (route) => route.fulfill({ status: 500, json: body }));
    await page.goto('/');
    await page.locator('.empty').waitFor();
  },
  offline: async ({ page }) => {
    await page.goto('/');
    await waitForMotion(page, '.tile video.live-on');
    await page.route('**/api/**', (route) => route.abort());
    await page.locator('.offline').waitFor({ timeout: 30_000 });
    await pause(page, 500);
  },
  'sign-in': async ({ page, context }) => {
    await context.clearCookies();
    await page.goto('/');
    await page.locator('.auth').waitFor();
    await pause(page, 300);
  },
  'sign-in-wrong': async ({ page, context }) => {
    await context.clearCookies();
    await page.goto('/');
    await page.locator('.auth input').first().fill('operator');
    await page.locator('.auth input').nth(1).fill('not this one');
    await page.keyboard.press('Enter');
    await page.locator('.notice-bad').waitFor();
  },
};

/** Views of a server that nobody has used yet. */
const FRESH_VIEWS = {
  setup: async ({ page }) => {
    await page.goto('/');
    await page.locator('.auth').waitFor();
    await pause(page, 300);
  },
};
const EMPTY_VIEWS = {
  empty: async ({ page }) => {
    await page.goto('/');
    await page.locator('.empty').waitFor();
  },
  'archive-empty': async ({ page }) => {
    await page.goto('/archive');
    await page.locator('.empty').waitFor();
  },
};

const wanted = process.argv.slice(2);
let made = 0;

async function take(browser, base, views, { seeded, signedIn }) {
  for (const [name, go] of Object.entries(views)) {
    for (const [device, options] of Object.entries(DEVICES)) {
      for (const theme of ['dark', 'light']) {
        for (const language of ['en', 'fr']) {
          const full = `${name}-${device}-${theme}-${language}`;
          if (wanted.length > 0 && !wanted.some((part) => full.includes(part))) continue;
          const context = await browser.newContext({
            ...options,
            baseURL: base,
            locale: language,
            timezoneId: 'Europe/Paris',
          });
          await context.addInitScript((choice) => localStorage.setItem('vigie.theme', choice), theme);
          if (signedIn) await context.addCookies(signedIn);
          const page = await context.newPage();
          try {
            const taken = await go({ page, context, seeded, language, phone: device === 'phone' });
            if (taken !== false) {
              const picture = { type: 'jpeg', quality: 84 };
              await page.screenshot({ ...picture, path: join(OUT, 'all', `${full}.jpg`) });
              if (COMMITTED.includes(full)) await page.screenshot({ ...picture, path: join(OUT, `${full}.jpg`) });
              made += 1;
              process.stdout.write(`${full}\n`);
            }
          } catch (error) {
            process.exitCode = 1;
            await page
              .screenshot({ type: 'jpeg', path: join(OUT, 'all', `FAILED-${full}.jpg`) })
              .catch(() => undefined);
            process.stderr.write(`${full}: ${error.message}\n`);
          }
          await context.close();
        }
      }
    }
  }
}

/** Cookies of a browser that signed in, taken once so that each picture needs no sign-in. */
async function cookiesOf(browser, base) {
  const context = await browser.newContext();
  await signIn(context, base);
  const cookies = await context.cookies();
  await context.close();
  return cookies;
}

mkdirSync(join(OUT, 'all'), { recursive: true });
const [full, empty, browser] = await Promise.all([startServer(), startServer(), chromium()]);
try {
  await take(browser, empty.url, FRESH_VIEWS, {});
  await administer(empty.url);
  await take(
    browser,
    empty.url,
    { ...EMPTY_VIEWS, ...ADMIN_EMPTY_VIEWS, ...RECORD_EMPTY_VIEWS },
    { signedIn: await cookiesOf(browser, empty.url) },
  );
  const seeded = await seed(full.url);
  await take(
    browser,
    full.url,
    { ...VIEWS, ...ADMIN_VIEWS, ...RECORD_VIEWS },
    { seeded, signedIn: await cookiesOf(browser, full.url) },
  );
} finally {
  await browser.close();
  await Promise.all([full.stop(), empty.stop()]);
}
process.stdout.write(`${made} pictures in ${join(OUT, 'all')}\n`);
