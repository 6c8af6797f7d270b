// A newcomer's first minutes, in a real browser against the real binary: set up, watch, add, record, play, download.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe } from 'node:test';
import { chromium } from './browser.mjs';
import { openPage, step, waitForMotion } from './page.mjs';
import { startServer } from './server.mjs';

const USER = 'operator';
const PASSWORD = 'a short sentence 42';
/** Asking who we are before anybody signed in, and a server that is away on purpose. */
const EXPECTED = ['401', 'ERR_CONNECTION_REFUSED', 'WebSocket connection', 'ERR_INCOMPLETE_CHUNKED_ENCODING'];

describe('a newcomer', () => {
  let server;
  let browser;
  let page;
  let complaints;

  before(async () => {
    server = await startServer({ args: ['--demo'] });
    browser = await chromium();
    ({ page, complaints } = await openPage(browser, { expected: EXPECTED, acceptDownloads: true }));
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  step('creates the first account', async () => {
    await page.goto(server.url);
    await page.getByRole('heading', { name: 'Welcome to Vigie' }).waitFor();
    await page.getByLabel('User name').fill(USER);
    await page.getByLabel('Choose a password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create and start' }).click();
    await page.getByRole('heading', { name: 'Live' }).waitFor();
  });

  step('keeps no token where scripts could read it', async () => {
    const readable = await page.evaluate(
      () => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie,
    );
    assert.doesNotMatch(readable, /eyJ|token/i);
  });

  step('sees the demo camera move', async () => {
    await waitForMotion(page, '.tile video.live-on');
  });

  step('is live: at most a second behind what has arrived', async () => {
    await page.waitForTimeout(2000);
    const lag = await page.$eval(
      '.tile video',
      (video) => video.buffered.end(video.buffered.length - 1) - video.currentTime,
    );
    assert.ok(lag >= 0 && lag <= 1, `the picture is ${lag} s behind`);
  });

  step('tests a camera before it is added, and reads why it does not work', async () => {
    await page.getByRole('button', { name: 'Add camera' }).click();
    await page.getByLabel('Camera address').fill('rtsp://admin:secret@127.0.0.1:9/none');
    assert.equal(await page.getByLabel('Camera address').inputValue(), 'rtsp://127.0.0.1:9/none');
    assert.equal(await page.getByRole('dialog').getByLabel('User name').inputValue(), 'admin');
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByText('Camera does not answer (wrong address or port?)').waitFor();
  });

  step('adds the test picture', async () => {
    await page.getByLabel('Camera address').fill('');
    await page.getByRole('dialog').getByLabel('User name').fill('');
    await page.getByLabel('Password', { exact: true }).fill('');
    await page.getByRole('button', { name: /No camera at hand/ }).click();
    await page.getByLabel('Name', { exact: true }).fill('My test picture');
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByText('The camera answers').waitFor();
    const picture = page.getByAltText('What the camera sees');
    const { width, height } = await picture.evaluate(async (image) => {
      await image.decode();
      return { width: image.naturalWidth, height: image.naturalHeight };
    });
    assert.ok(width > 0 && width <= 480, `the picture is ${width} pixels wide`);
    assert.ok(Math.abs(width / height - 16 / 9) < 0.02, `the picture is ${width} × ${height}`);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('article', { name: /My test picture/ }).waitFor();
    await waitForMotion(page, 'article[aria-label^="My test picture"] video.live-on');
  });

  step('records with one click and stops with another', async () => {
    const tile = page.getByRole('article', { name: /My test picture/ });
    await tile.hover();
    await tile.getByRole('button', { name: 'Record My test picture' }).click();
    await tile.locator('button.rec').waitFor();
    await page.waitForFunction(() => /0:0[4-9]/.test(document.querySelector('button.rec')?.textContent ?? ''), null, {
      timeout: 20_000,
    });
    await tile.locator('button.rec').click();
    await page.getByRole('timer').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Watch' }).click();
  });

  step('plays the video in the page', async () => {
    await page.waitForURL(/\/archive\/\d+/);
    await waitForMotion(page, '.player-video');
    const { duration, width, error } = await page.$eval('.player-video', (video) => ({
      duration: video.duration,
      width: video.videoWidth,
      error: video.error?.message,
    }));
    assert.equal(error, undefined);
    assert.ok(duration > 2 && duration < 30, `the film lasts ${duration} s`);
    assert.ok(width > 0);
  });

  step('steps through it with the keyboard', async () => {
    const at = () => page.$eval('.player-video', (video) => [video.currentTime, video.paused]);
    await page.keyboard.press('k');
    await page.waitForFunction(() => document.querySelector('.player-video').paused);
    await page.keyboard.press('j');
    const [start] = await at();
    await page.keyboard.press('.');
    const [later, paused] = await at();
    assert.ok(later > start && later - start < 0.5, `one frame on went from ${start} to ${later}`);
    assert.equal(paused, true);
  });

  step('downloads it', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ]);
    assert.match(download.suggestedFilename(), /\.mp4$/);
    const bytes = readFileSync(await download.path());
    assert.equal(bytes.toString('latin1', 4, 8), 'ftyp');
    assert.ok(bytes.length > 10_000);
  });

  step('deletes it after being told what is lost', async () => {
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText(/You will lose .* of My test picture/).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Nothing recorded yet').waitFor();
  });

  step('finds the camera page, its figures and addresses', async () => {
    await page.keyboard.press('4');
    await page.getByRole('link', { name: /My test picture/ }).click();
    await waitForMotion(page, '.camera-player video.live-on');
    await page.getByText('H.264', { exact: false }).first().waitFor();
    await page.locator('code', { hasText: /^rtsp:\/\/.*\/my-test-picture/ }).waitFor();
  });

  step('deletes the camera', async () => {
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('button', { name: 'Delete camera' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete camera' }).click();
    await page.waitForURL(/\/cameras$/);
    await page.getByText('1 camera', { exact: true }).waitFor();
  });

  step('reads French as soon as it is chosen', async () => {
    await page.goto(`${server.url}/settings/display`);
    await page.getByRole('button', { name: 'Français' }).click();
    await page.getByRole('heading', { name: 'Réglages' }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'fr');
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
  });

  step('signs out, is refused with a wrong password, and comes back', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('User name').fill(USER);
    await page.getByLabel('Password', { exact: true }).fill('not this one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('User name or password is wrong').waitFor();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
  });

  step('is told when the server is away, and sees the picture again by itself when it is back', async () => {
    await page.keyboard.press('1');
    await waitForMotion(page, '.tile video.live-on');
    const { dataDir, url } = server;
    await server.stop({ keep: true });
    await page.getByText('Vigie does not answer.').waitFor({ timeout: 30_000 });
    server = await startServer({ args: ['--demo'], dataDir, http: new URL(url).host });
    await page.getByText('Vigie does not answer.').waitFor({ state: 'hidden', timeout: 30_000 });
    await waitForMotion(page, '.tile video.live-on', 30_000);
  });

  step('met no complaint of the browser on the way', () => {
    assert.deepEqual(complaints, []);
  });
});
