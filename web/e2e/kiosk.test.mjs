// The tablet beside a court: signed in by a code, one button, and it looks after itself.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { administer, until } from './api.mjs';
import { chromium } from './browser.mjs';
import { makeClub } from './club.mjs';
import { openPage, step, waitForMotion } from './page.mjs';
import { startServer } from './server.mjs';

/** A pass that has ended, a server that restarts. */
const EXPECTED = [
  '401',
  '403',
  '502',
  '503',
  'ERR_CONNECTION_REFUSED',
  'ERR_CONNECTION_RESET',
  'ERR_INTERNET_DISCONNECTED',
  'WebSocket',
];
const TABLET = { viewport: { width: 1280, height: 800 }, hasTouch: true };

describe('a tablet beside a court', () => {
  let server;
  let browser;
  let call;
  let terrains;
  let page;
  let context;
  let complaints;
  let pass;

  before(async () => {
    server = await startServer();
    call = await administer(server.url);
    ({ terrains } = await makeClub(call));
    await until('the courts are ready', async () =>
      (await call('GET', '/api/terrains')).terrains.every(({ status }) => status === 'ready'),
    );
    browser = await chromium();
    ({ page, context, complaints } = await openPage(browser, { expected: EXPECTED, ...TABLET }));
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const newPass = async () => {
    const made = await call('POST', `/api/terrains/${terrains[0].id}/kiosk`, { hours: 12, name: 'Tablet' });
    // The address in the code is the one by which the server is known; here it is this machine.
    const { pathname, hash } = new URL(made.url);
    assert.equal(pathname, `/kiosk/${terrains[0].id}`);
    assert.ok(hash.length > 20);
    return { id: made.pass.id, url: server.url + pathname + hash, secret: hash.slice(1) };
  };
  const stop = () => page.getByRole('button', { name: 'Hold to stop' });
  const hold = async (milliseconds) => {
    const box = await stop().boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.waitForTimeout(milliseconds);
    await page.mouse.up();
  };
  const recording = async () =>
    (await call('GET', '/api/video/session/list')).sessions.find(({ recording_active }) => recording_active);

  step('the code signs it in for that court, and leaves nothing in the address', async () => {
    pass = await newPass();
    await page.goto(pass.url);
    await page.getByRole('heading', { name: 'Court 1' }).waitFor();
    await waitForMotion(page, '.kiosk-picture video.live-on');
    assert.equal(page.url(), `${server.url}/kiosk/${terrains[0].id}`);
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
    );
    assert.ok(!kept.includes(pass.secret));
    assert.equal(await page.getByRole('navigation').count(), 0);
  });

  step('there is no way to other places', async () => {
    for (const path of ['/', '/settings/account', '/record/videos', `/kiosk/${terrains[1].id}`]) {
      await page.goto(server.url + path);
      await page.waitForURL(`**/kiosk/${terrains[0].id}`);
      await page.getByRole('heading', { name: 'Court 1' }).waitFor();
    }
    const refused = await page.evaluate(
      (terrain_id) =>
        fetch('/api/video/session/create', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'vigie' },
          body: JSON.stringify({ terrain_id }),
        }).then((answer) => answer.status),
      terrains[1].id,
    );
    assert.equal(refused, 403);
  });

  step('a touch records, and the ring shows the time that is left', async () => {
    await page.getByRole('button', { name: 'Record', exact: true }).tap();
    await page.getByText('REC', { exact: true }).waitFor();
    await page
      .getByRole('timer')
      .getByText(/^1:(29|30):\d\d$/)
      .waitFor();
    assert.equal((await recording()).terrain_id, terrains[0].id);
  });

  step('a ball that hits the button stops nothing', async () => {
    await hold(150);
    await page.getByText('Keep the button pressed for a moment to stop.').waitFor();
    assert.ok(await recording());
  });

  step('“Replay!” shows the last seconds slowly, and the court comes back by itself', async () => {
    await until('there is something to show', async () => {
      const { session_id } = await recording();
      return (await call('GET', `/api/video/record/status/${session_id}`)).status.frames > 60;
    });
    await page.getByRole('button', { name: 'Replay!' }).tap();
    await waitForMotion(page, '.replay video');
    assert.equal(await page.$eval('.replay video', (video) => video.playbackRate), 0.5);
    await page.locator('.replay').waitFor({ state: 'detached', timeout: 90_000 });
    await waitForMotion(page, '.kiosk-picture video.live-on');
  });

  step('the clip stays below, and plays again', async () => {
    const clips = page.getByRole('region', { name: 'Last clips' });
    await clips.getByRole('button').first().tap();
    await waitForMotion(page, '.replay video');
    await page.getByRole('button', { name: 'Back to live' }).tap();
  });

  step('it speaks the other language when asked', async () => {
    await page.getByRole('button', { name: 'français' }).tap();
    await page.getByRole('button', { name: 'Revoir !' }).waitFor();
    await page.getByRole('button', { name: 'English' }).tap();
    await page.getByRole('button', { name: 'Replay!' }).waitFor();
  });

  step('corners fade when nobody touches it', async () => {
    await page.locator('.kiosk-idle').waitFor({ timeout: 20_000 });
    await page.mouse.move(200, 300);
    await page.locator('.kiosk-idle').waitFor({ state: 'detached' });
  });

  step('without a network it says so, and comes back by itself', async () => {
    await context.setOffline(true);
    await page.getByText('No connection. It comes back by itself.').waitFor({ timeout: 30_000 });
    assert.ok(await stop().isDisabled());
    await context.setOffline(false);
    await page.getByText('No connection. It comes back by itself.').waitFor({ state: 'hidden', timeout: 30_000 });
  });

  step('held, the button stops; the video is kept', async () => {
    await hold(1600);
    await page.getByText('Saved. Your video is ready.').waitFor();
    await page.getByRole('button', { name: 'Record', exact: true }).waitFor();
    assert.equal(await recording(), undefined);
    await until(
      'the session is given back',
      async () => (await call('GET', '/api/video/session/list')).sessions.length === 0,
    );
  });

  step('a game that nobody records has its replay too, and gives the court back', async () => {
    await page.getByRole('button', { name: 'Replay without recording' }).tap();
    const replay = page.getByRole('button', { name: 'Replay!' });
    await replay.waitFor();
    assert.equal(await recording(), undefined);
    // The camera's last pictures are kept from here on.
    await until('something is kept', async () => {
      await replay.tap();
      return page
        .locator('.replay')
        .waitFor({ timeout: 1500 })
        .then(() => true)
        .catch(() => false);
    });
    await waitForMotion(page, '.replay video');
    await page.getByRole('button', { name: 'Back to live' }).tap();
    await page.getByRole('button', { name: 'Done, give the court back' }).tap();
    await page.getByRole('button', { name: 'Replay without recording' }).waitFor();
    assert.equal((await call('GET', '/api/video/session/list')).sessions.length, 0);
  });

  step('a restart of the server needs nobody at the tablet', async () => {
    const { url, dataDir } = server;
    await server.stop({ keep: true });
    await page.getByText('No connection. It comes back by itself.').waitFor({ timeout: 30_000 });
    server = await startServer({ dataDir, http: new URL(url).host });
    await page.getByText('No connection. It comes back by itself.').waitFor({ state: 'hidden', timeout: 30_000 });
    await waitForMotion(page, '.kiosk-picture video.live-on', 30_000);
    await page.getByRole('button', { name: 'Record', exact: true }).tap();
    await page.getByText('REC', { exact: true }).waitFor();
    await hold(1600);
    await page.getByText('Saved. Your video is ready.').waitFor();
  });

  step('a pass that was taken back asks for a new code, and the new code works', async () => {
    await call('DELETE', `/api/terrains/${terrains[0].id}/kiosk/${pass.id}`);
    await page.getByText('Scan the code again').waitFor({ timeout: 30_000 });
    await page.goto(pass.url);
    await page.getByText('Scan the code again').waitFor();
    pass = await newPass();
    await page.goto(pass.url);
    await page.getByRole('heading', { name: 'Court 1' }).waitFor();
    assert.equal(new URL(page.url()).hash, '');
  });

  step('nothing complained', () => assert.deepEqual(complaints, []));
});
