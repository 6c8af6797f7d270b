// A player records a match, watches it, marks it, takes a part of it home; an administrator tidies up.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe } from 'node:test';
import { administer, signIn, until } from './api.mjs';
import { chromium } from './browser.mjs';
import { fastStart, makeClub, PASSWORD, probe, signInAs } from './club.mjs';
import { openPage, step, unfit, waitForMotion } from './page.mjs';
import { startServer } from './server.mjs';

const PLAYER = 'left-handed';
const OTHER = 'net-cord';
const ADMIN = 'reception';
const DEAD = 'rtsp://127.0.0.1:9/nothing';
const GOOD = 'testcard:?width=640&height=360&fps=25&gop=25';
/** Before anybody signed in, and what is broken on purpose. */
const EXPECTED = ['401', '409', '502', '503'];

describe('recording on a court', () => {
  let server;
  let browser;
  let call;
  let terrains;
  let page;
  let complaints;
  let sessionId;
  let recordingId;
  /** Calls that the page made: `POST /api/video/record/start`. */
  const calls = [];

  before(async () => {
    server = await startServer();
    call = await administer(server.url);
    ({ terrains } = await makeClub(call, {
      people: { [PLAYER]: 'PLAYER', [OTHER]: 'PLAYER', [ADMIN]: 'CLUB_ADMIN' },
    }));
    await until('the courts are ready', async () =>
      (await call('GET', '/api/terrains')).terrains.every(({ status }) => status === 'ready'),
    );
    browser = await chromium();
    ({ page, complaints } = await openPage(browser, { expected: EXPECTED, acceptDownloads: true }));
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      calls.push({ what: `${request.method()} ${pathname}`, at: Date.now() });
    });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const court = (name) => page.getByRole('article', { name, exact: true });
  const dialog = () => page.getByRole('dialog');
  const asked = (what) => calls.filter((entry) => entry.what.startsWith(what));

  step('a player who signs in comes to the courts, and sees no places of others', async () => {
    await page.goto(server.url);
    await page.getByLabel('User name').fill(PLAYER);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL('**/record');
    await court('Court 1').getByText('Free').waitFor();
    await waitForMotion(page, '.court video.live-on');
    const places = await page.locator('.side-place > span:first-of-type').allTextContents();
    assert.deepEqual(places, ['Live', 'Record', 'Settings']);
    assert.deepEqual(await page.getByRole('tab').allTextContents(), ['Record', 'Videos', 'Active sessions']);
    await page.getByRole('complementary', { name: 'System' }).getByText('0 of 10').waitFor();
  });

  step('the dialog shows what it will weigh, with 90 minutes chosen', async () => {
    await court('Court 1').getByRole('button', { name: 'Record Court 1' }).click();
    assert.equal(await dialog().getByRole('button', { name: '90 min' }).getAttribute('aria-pressed'), 'true');
    assert.ok(
      await dialog()
        .getByRole('radio', { name: /Court 1/ })
        .isChecked(),
    );
    await dialog()
      .locator('.estimate', { hasText: /About .* at .* free on the disk/ })
      .waitFor();
    const { estimate } = await call(
      'GET',
      `/api/video/record/estimate?terrain_id=${terrains[0].id}&duration_minutes=90`,
    );
    assert.ok(Math.abs(estimate.bytes - estimate.bitrate_kbps * 125 * 5400) < estimate.bytes * 0.01);
    await dialog().getByRole('button', { name: 'Other' }).click();
    await dialog().getByRole('spinbutton').fill('1');
  });

  step('one click opens the session and starts the recording, in that order', async () => {
    calls.length = 0;
    await dialog().getByRole('button', { name: 'Record', exact: true }).click();
    await dialog().getByRole('progressbar').waitFor();
    const posts = calls.map(({ what }) => what).filter((what) => what.startsWith('POST /api/video'));
    assert.deepEqual(posts, ['POST /api/video/session/create', 'POST /api/video/record/start']);
    const { sessions } = await call('GET', '/api/video/session/list');
    sessionId = sessions[0].session_id;
    assert.match(sessionId, new RegExp(`^sess_\\d+_${terrains[0].id}_\\d+$`));
  });

  step('the state is asked for every 2 s, and the bar is what it says', async () => {
    const path = `GET /api/video/record/status/${sessionId}`;
    await until('some answers', () => asked(path).length >= 5, 15_000);
    const times = asked(path)
      .slice(1, 5)
      .map(({ at }) => at);
    const gaps = times.slice(1).map((at, index) => at - times[index]);
    for (const gap of gaps) assert.ok(gap > 1500 && gap < 3500, `asked again after ${gap} ms`);
    await until('the bar agrees', async () => {
      const { status } = await call('GET', `/api/video/record/status/${sessionId}`);
      const shown = Number(await dialog().getByRole('progressbar').getAttribute('aria-valuenow'));
      return shown > 0 && shown === status.progress_percent;
    });
  });

  step('the picture moves in each of its three ways, with the red mark on it', async () => {
    await waitForMotion(page, 'dialog video.live-on');
    await dialog().locator('.preview-rec .rec').waitFor();
    await dialog().getByRole('button', { name: 'MJPEG' }).click();
    await waitForMotion(page, 'dialog img.preview-image');
    await dialog().getByRole('button', { name: '5 pictures/s' }).click();
    await waitForMotion(page, 'dialog img.preview-image');
    calls.length = 0;
    await page.waitForTimeout(3000);
    const pictures = asked(`GET /api/preview/${sessionId}/snapshot.jpg`).length;
    assert.ok(pictures >= 5 && pictures <= 17, `${pictures} pictures in 3 s`);
    await dialog().getByRole('button', { name: 'Smooth' }).click();
  });

  step('a camera that stops turns the badge of the preview, and back when it returns', async () => {
    const badge = dialog().locator('.preview-health');
    await badge.getByText('Picture is live').waitFor();
    const camera = terrains[0].camera_id;
    await call('PATCH', `/api/cameras/${camera}`, { url: DEAD });
    await badge.getByText('Camera stopped').waitFor();
    await call('PATCH', `/api/cameras/${camera}`, { url: GOOD });
    await badge.getByText('Picture is live').waitFor({ timeout: 30_000 });
  });

  step('the last seconds play again at half speed while the recording goes on', async () => {
    await dialog().getByRole('button', { name: 'Replay 30 s' }).click();
    await waitForMotion(page, '.replay video');
    assert.equal(await page.$eval('.replay video', (video) => video.playbackRate), 0.5);
    await dialog().getByRole('button', { name: '0.25×' }).click();
    await until('a quarter', () => page.$eval('.replay video', (video) => video.playbackRate === 0.25));
    await dialog().getByRole('button', { name: 'Back to live' }).click();
    await waitForMotion(page, 'dialog video.live-on');
  });

  step('another player sees that somebody records, and may touch nothing', async () => {
    const other = await openPage(browser, { expected: EXPECTED });
    await signInAs(other.context, server.url, OTHER);
    await other.page.goto(`${server.url}/record`);
    const card = other.page.getByRole('article', { name: 'Court 1', exact: true });
    await card.getByText(/ is recording until \d/).waitFor();
    assert.ok(await card.getByRole('button', { name: 'Record Court 1' }).isDisabled());
    await other.page.getByRole('tab', { name: 'Active sessions' }).click();
    await other.page.getByText('No session is open').waitFor();
    assert.deepEqual(other.complaints, []);
    await other.context.close();
  });

  step('R stops, and the video is there', async () => {
    calls.length = 0;
    await dialog().getByRole('button', { name: 'Stop' }).focus();
    await page.keyboard.press('r');
    await page.getByRole('button', { name: 'Watch' }).waitFor();
    const posts = calls.map(({ what }) => what).filter((what) => what.startsWith('POST /api/video'));
    assert.equal(posts[0], 'POST /api/video/record/stop');
    await court('Court 1').getByText('Free').waitFor();
    await page.getByRole('button', { name: 'Watch' }).click();
    await page.waitForURL('**/record/videos/*');
    recordingId = Number(page.url().split('/').at(-1));
    await waitForMotion(page, '.player-video');
  });

  step('the list shows court, time, length and size, with the clip under its recording', async () => {
    await page.getByRole('link', { name: 'All videos' }).click();
    const row = page.locator('.videos-list > li').first();
    await row.getByText('Court 1').first().waitFor();
    await row
      .getByText(/\d\d:\d\d.* · .+ · [\d.]+ [kM]B/)
      .first()
      .waitFor();
    await row.getByRole('button', { name: '1 clip' }).click();
    assert.equal(await row.locator('.videos-clips .videos-row').count(), 1);
    assert.equal(await page.getByRole('button', { name: /^Delete / }).count(), 0);
    await page.getByLabel('Search').fill('no such court');
    await page.getByText('No video matches').waitFor();
    await page.getByRole('button', { name: 'Show all' }).last().click();
    await row
      .getByRole('link', { name: /^Watch Court 1/ })
      .first()
      .click();
    await waitForMotion(page, '.player-video');
  });

  step('M sets a marker with a name, a click jumps to it, deleting it can be undone', async () => {
    const at = (seconds) =>
      page.$eval(
        '.player-video',
        (video, to) =>
          new Promise((done) => {
            video.pause();
            video.addEventListener('seeked', () => done(video.currentTime), { once: true });
            video.currentTime = to;
          }),
        seconds,
      );
    const markers = page.getByRole('region', { name: 'Markers' });
    for (const [seconds, label] of [
      [2, 'Break point'],
      [4, 'Match point'],
    ]) {
      await at(seconds);
      await page.keyboard.press('m');
      await page.getByLabel('Name of the marker').fill(label);
      await page.keyboard.press('Enter');
      await markers.getByText(label).waitFor();
    }
    await markers.getByText('Break point').click();
    await until('the jump', () => page.$eval('.player-video', (video) => Math.abs(video.currentTime - 2) < 0.1));
    await page.keyboard.press('n');
    await until('the next one', () => page.$eval('.player-video', (video) => Math.abs(video.currentTime - 4) < 0.1));

    await markers.getByRole('button', { name: 'Delete Break point' }).click();
    await markers.getByText('Break point').waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await markers.getByText('Break point').waitFor();
    await markers.getByRole('button', { name: 'Delete Break point' }).click();
    await until('it is gone for good', async () => {
      const { markers: left } = await call('GET', `/api/video/session/${sessionId}/markers`);
      return left
        .filter(({ recording_id }) => recording_id === recordingId)
        .every(({ label }) => label !== 'Break point');
    });
  });

  step('slow motion, single pictures and repeating work by key and by button', async () => {
    const video = (read) => page.$eval('.player-video', read);
    await page.getByRole('button', { name: 'Speed' }).click();
    await page.getByRole('button', { name: '0.25×' }).click();
    assert.equal(await video((v) => v.playbackRate), 0.25);
    await page.keyboard.press('k');
    assert.equal(await video((v) => v.playbackRate), 1);
    const before = await video((v) => v.currentTime);
    await page.keyboard.press('.');
    await until('one picture on', () =>
      page.$eval('.player-video', (v, from) => v.currentTime > from && v.currentTime - from < 0.1, before),
    );
    // From 1 s to 2 s, over and over.
    for (const [seconds, key] of [
      [1, 'i'],
      [2, 'o'],
    ]) {
      await page.$eval(
        '.player-video',
        (v, to) =>
          new Promise((done) => {
            v.addEventListener('seeked', done, { once: true });
            v.currentTime = to;
          }),
        seconds,
      );
      await page.keyboard.press(key);
    }
    await page.keyboard.press('b');
    await page.keyboard.press('l');
    const seen = await page.$eval('.player-video', async (v) => {
      const places = [];
      for (let n = 0; n < 50; n += 1) {
        await new Promise((done) => setTimeout(done, 60));
        places.push(v.currentTime);
      }
      return places;
    });
    assert.ok(Math.max(...seen) < 2.2, `it went to ${Math.max(...seen)}`);
    assert.ok(
      seen.some((place, index) => index > 0 && place < seen[index - 1] - 0.5),
      'it began again',
    );
    await page.keyboard.press('b');
    await page.keyboard.press('k');
  });

  step('the part between I and O downloads at once and is an MP4 of its own', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: /Download clip/ }).click(),
    ]);
    const path = await download.path();
    const { streams, format } = probe(path);
    const video = streams.find(({ codec_type }) => codec_type === 'video');
    assert.equal(video.codec_name, 'h264');
    assert.ok(Number(video.nb_read_frames) >= 20, `${video.nb_read_frames} pictures`);
    assert.ok(Math.abs(Number(format.duration) - 1) < 0.25, `${format.duration} s instead of 1`);
    assert.ok(fastStart(readFileSync(path)));
  });

  step('the whole file downloads too', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download', exact: true }).click(),
    ]);
    assert.equal(download.suggestedFilename(), `${sessionId}.mp4`);
    const { streams } = probe(await download.path());
    assert.ok(Number(streams.find(({ codec_type }) => codec_type === 'video').nb_read_frames) > 100);
  });

  step('nothing complained', () => assert.deepEqual(complaints, []));

  step('every page of it fits 360 px, and fingers', async () => {
    const { page: phone, context } = await openPage(browser, {
      expected: EXPECTED,
      viewport: { width: 360, height: 740 },
      isMobile: true,
      hasTouch: true,
      locale: 'fr',
    });
    await signInAs(context, server.url, PLAYER);
    for (const [path, shown] of [
      ['/record', '.court video.live-on'],
      [`/record?court=${terrains[0].id}`, 'dialog .estimate'],
      ['/record/videos', '.videos-row'],
      [`/record/videos/${recordingId}`, '.marker'],
      ['/record/sessions', '.empty'],
      [`/kiosk/${terrains[0].id}`, '.kiosk-start'],
    ]) {
      await phone.goto(server.url + path);
      await phone.locator(shown).first().waitFor();
      const { wide, small } = await unfit(phone);
      assert.ok(wide <= 360, `${path} is ${wide} px wide`);
      assert.deepEqual(small, [], path);
    }
    await context.close();
  });

  step('an administrator of the club sees what is open, stops it, closes it, takes that back, tidies up', async () => {
    const { page: desk, context } = await openPage(browser, { expected: EXPECTED });
    await signInAs(context, server.url, ADMIN);
    await desk.goto(`${server.url}/record?court=${terrains[1].id}`);
    await desk.getByRole('dialog').getByRole('button', { name: 'Record', exact: true }).click();
    await desk.getByRole('dialog').getByRole('progressbar').waitFor();
    await desk.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await desk.getByRole('tab', { name: /Active sessions/ }).click();
    const row = desk.locator('.session', { hasText: 'Court 2' });
    await row.getByText('Recording', { exact: true }).waitFor();
    await row.getByRole('button', { name: 'Preview' }).click();
    await waitForMotion(desk, 'dialog video.live-on, dialog img.preview-image');
    await desk.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await row.getByRole('button', { name: 'Stop recording Court 2' }).click();
    await desk.getByRole('button', { name: 'Stop and save' }).click();
    await desk.getByText('No session is open').waitFor();

    // A session that only holds a court.
    await desk.evaluate(
      (terrain_id) =>
        fetch('/api/video/session/create', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'vigie' },
          body: JSON.stringify({ terrain_id }),
        }),
      terrains[1].id,
    );
    await row.getByText('Open, not recording').waitFor();
    await row.getByRole('button', { name: /Close the session/ }).click();
    await desk.getByText('No session is open').waitFor();
    await desk.getByRole('button', { name: 'Undo' }).click();
    await row.getByText('Open, not recording').waitFor();
    await desk.getByRole('button', { name: 'Clean up' }).click();
    await desk.getByText(/Nothing to tidy up|Tidied up/).waitFor();
    await context.close();
  });

  step('only an administrator deletes, after saying what will be lost', async () => {
    const { page: desk, context } = await openPage(browser, { expected: EXPECTED });
    await signIn(context, server.url);
    await desk.goto(`${server.url}/record/videos`);
    const row = desk.locator('.videos-list > li', { hasText: 'Court 1' }).first();
    await row.getByText(PLAYER).first().waitFor();
    await row
      .getByRole('button', { name: /^Delete Court 1/ })
      .first()
      .click();
    await desk.getByText(/You will lose .* of Court 1/).waitFor();
    await desk.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await desk.getByText('Recording deleted').waitFor();
    const { videos } = await call('GET', `/api/video/files/list?club_id=${terrains[0].club_id}`);
    assert.ok(videos.every((video) => video.recording_id !== recordingId));
    await context.close();
  });

  step('sign-in and wall weigh at most 200 kB', async () => {
    const { page: fresh, context } = await openPage(browser, { expected: EXPECTED });
    let bytes = 0;
    fresh.on('response', async (response) => {
      if (new URL(response.url()).pathname.startsWith('/api/')) return;
      const sizes = await response.request().sizes();
      bytes += sizes.responseBodySize;
    });
    await signIn(context, server.url);
    await fresh.goto(server.url);
    await waitForMotion(fresh, '.tile video.live-on');
    assert.ok(bytes > 50_000 && bytes < 200_000, `${bytes} bytes`);
    await context.close();
  });
});
