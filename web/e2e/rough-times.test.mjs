// What people see when a camera or the server goes away in the middle of a recording.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { administer, signIn, until } from './api.mjs';
import { chromium } from './browser.mjs';
import { openPage, step, waitForMotion } from './page.mjs';
import { startServer } from './server.mjs';

const GOOD = 'testcard:?width=640&height=360&fps=25&gop=25';
const CUT_MS = 3000;
const DEAD = 'rtsp://127.0.0.1:9/nothing';

describe('rough times', () => {
  let server;
  let browser;
  let page;
  let call;
  let camera;
  let session;

  before(async () => {
    server = await startServer();
    call = await administer(server.url);
    ({ camera } = await call('POST', '/api/cameras', { name: 'Gate', url: GOOD, always_on: true }));
    browser = await chromium();
    const opened = await openPage(browser);
    page = opened.page;
    await signIn(opened.context, server.url);
    await page.goto(server.url);
    await waitForMotion(page, '.tile video.live-on');
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const status = async () => (await call('GET', `/api/video/record/status/${session.session_id}`)).status;

  step('a recording that ends without a click gives the camera back', async () => {
    const tile = page.getByRole('article', { name: /Gate/ });
    await tile.hover();
    await tile.getByRole('button', { name: 'Record Gate' }).click();
    await tile.locator('button.rec').waitFor();
    const sessions = async () => (await call('GET', '/api/video/session/list')).sessions;
    const [{ session_id }] = await sessions();
    // To the page it looks like the planned end: the recording is over and the session is still there.
    await call('POST', '/api/video/record/stop', { session_id });
    await until('the session is closed', async () => (await sessions()).length === 0);
  });

  step('a camera that goes away says why on its tile, and its recording goes on', async () => {
    ({ session } = await call('POST', '/api/video/session/create', { camera_id: camera.id }));
    await call('POST', '/api/video/record/start', { session_id: session.session_id, duration_minutes: 5 });
    await until('the recording runs', async () => (await status()).frames > 40);
    await call('PATCH', `/api/cameras/${camera.id}`, { url: DEAD });
    await page.getByText('Camera does not answer (wrong address or port?)').waitFor();
    await page.locator('button.rec').waitFor();
    // As long as a cable takes to be plugged in again.
    await page.waitForTimeout(CUT_MS);
  });

  step('its picture comes back by itself', async () => {
    await call('PATCH', `/api/cameras/${camera.id}`, { url: GOOD });
    await page.getByText('Camera does not answer (wrong address or port?)').waitFor({ state: 'hidden' });
    await waitForMotion(page, '.tile video.live-on');
  });

  step('the recording has one gap, shown where it is', async () => {
    const { frames } = await status();
    await until('the recording continues', async () => (await status()).frames > frames + 25);
    const stopped = await call('POST', '/api/video/record/stop', { session_id: session.session_id });
    await page.goto(`${server.url}/archive/${stopped.recording_id}`);
    await page.locator('.chosen-head ~ .video-badges', { hasText: '1 gap' }).waitFor();
    const { videos } = await call('GET', '/api/video/files/list?club_id=0');
    const [gap] = videos.find((video) => video.recording_id === stopped.recording_id).gaps;
    await page.$eval(
      '.player-video',
      (video, at) => {
        video.pause();
        video.currentTime = at;
      },
      gap.at_seconds + 0.3,
    );
    await page.getByText('Not recorded: the camera was disconnected').waitFor();
  });

  step('a power cut leaves an interrupted recording that plays', async () => {
    await call('POST', '/api/video/record/start', { session_id: session.session_id, duration_minutes: 5 });
    await until('the recording runs', async () => (await status()).frames > 60);
    const { url, dataDir } = server;
    await server.stop({ keep: true, kill: true });
    server = await startServer({ dataDir, http: new URL(url).host });
    await page.goto(`${url}/archive`);
    await page.locator('.video-row', { hasText: 'Interrupted' }).click();
    await waitForMotion(page, '.player-video');
    const duration = await page.$eval('.player-video', (video) => video.duration);
    assert.ok(duration > 1, `${duration} s are left`);
  });
});
