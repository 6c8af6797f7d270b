// The client for pages that others wrote, in a real browser against the real binary: each function asks what the older
// client asked (contract REC-074), and what it gives works.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe } from 'node:test';
import { administer, signIn } from './api.mjs';
import { chromium } from './browser.mjs';
import { openPage, step, waitForMotion } from './page.mjs';
import { startServer } from './server.mjs';

/** A page that knows nothing of Vigie but the client; its server stands where the older front-end's did. */
function foreignPage() {
  const server = createServer((_, answer) => {
    answer.setHeader('Content-Type', 'text/html');
    answer.end('<!doctype html><title>club</title><body><img id="live" alt="">');
  });
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => done({ server, origin: `http://127.0.0.1:${server.address().port}` }));
  });
}

describe('the client', () => {
  let server;
  let browser;
  let page;
  let context;
  let call;
  let terrain;
  let session;
  let foreign;
  const asked = [];

  /** Runs one function of the client in the page, and tells what went over the wire. */
  async function run(name, ...values) {
    asked.length = 0;
    const answer = await page.evaluate(([f, v]) => globalThis.videoSystemService[f](...v), [name, values]);
    return { answer, calls: asked.map((r) => `${r.method()} ${r.url().slice(server.url.length)}`), first: asked[0] };
  }

  before(async () => {
    foreign = await foreignPage();
    server = await startServer({ args: ['--demo'], env: { VIGIE_HTTP_CORS_ORIGINS: foreign.origin } });
    call = await administer(server.url);
    const { cameras } = await call('GET', '/api/cameras');
    const { club } = await call('POST', '/api/clubs', { name: 'Club', timezone: 'UTC' });
    const body = { name: 'Court 1', camera_id: cameras[0].id };
    ({ terrain } = await call('POST', `/api/clubs/${club.id}/terrains`, body));
    browser = await chromium();
    ({ page, context } = await openPage(browser, { acceptDownloads: true }));
    await signIn(context, server.url);
    await page.goto(`${server.url}/api/docs`);
    await page.addScriptTag({ url: `${server.url}/static/js/vigie-client.js` });
    page.on('request', (request) => {
      if (request.url().includes('/api/')) asked.push(request);
    });
  });
  after(async () => {
    await browser?.close();
    foreign?.server.close();
    await server?.stop();
  });

  step('opens, lists and records a session', async () => {
    const made = await run('createSession', terrain.id);
    assert.deepEqual(made.calls, ['POST /api/video/session/create']);
    assert.deepEqual(made.first.postDataJSON(), { terrain_id: terrain.id });
    session = made.answer.session.session_id;
    assert.equal(made.answer.session.verified, true);
    assert.deepEqual((await run('listSessions')).calls, ['GET /api/video/session/list']);
    const started = await run('startRecording', session, 90);
    assert.deepEqual(started.calls, ['POST /api/video/record/start']);
    assert.deepEqual(started.first.postDataJSON(), { session_id: session, duration_minutes: 90 });
    const status = await run('getRecordingStatus', session);
    assert.deepEqual(status.calls, [`GET /api/video/record/status/${session}`]);
    assert.equal(status.answer.status.active, true);
  });

  step('shows live pictures', async () => {
    const { answer, calls } = await run('getStreamUrl', session);
    assert.deepEqual(calls, []);
    assert.equal(answer, `/api/preview/${session}/stream.mjpeg`);
    await page.evaluate((src) => {
      const image = document.createElement('img');
      image.id = 'live';
      image.src = src;
      document.body.prepend(image);
    }, answer);
    await waitForMotion(page, '#live');
    const snapshot = await run('getSnapshotUrl', session);
    const picture = await page.request.get(server.url + snapshot.answer);
    assert.equal(picture.headers()['content-type'], 'image/jpeg');
    await page.evaluate(() => document.querySelector('#live').remove());
  });

  step('stops, lists, downloads and deletes', async () => {
    const stopped = await run('stopRecording', session);
    assert.deepEqual(stopped.calls, ['POST /api/video/record/stop']);
    assert.deepEqual(stopped.first.postDataJSON(), { session_id: session });
    const list = await run('listVideos', terrain.club_id);
    assert.deepEqual(list.calls, [`GET /api/video/files/list?club_id=${terrain.club_id}`]);
    assert.equal(list.answer.videos[0].session_id, session);
    const arrives = page.waitForEvent('download');
    await run('downloadVideo', session, terrain.club_id);
    const download = await arrives;
    const path = `/api/video/files/${session}/download?club_id=${terrain.club_id}`;
    assert.equal(download.url(), server.url + path);
    assert.equal(download.suggestedFilename(), `${session}.mp4`);
    await download.path();
    const closed = await run('closeSession', session);
    assert.deepEqual(closed.calls, ['POST /api/video/session/close']);
    const deleted = await run('deleteVideo', session, terrain.club_id);
    assert.deepEqual(deleted.calls, [`DELETE /api/video/files/${session}/delete?club_id=${terrain.club_id}`]);
  });

  step('asks for health and tidies up', async () => {
    const health = await run('checkHealth');
    assert.deepEqual(health.calls, ['GET /api/video/health']);
    assert.equal(health.answer.success, true);
    assert.deepEqual((await run('cleanup')).calls, ['POST /api/video/cleanup']);
  });

  step('says what went wrong by its code', async () => {
    const code = await page.evaluate(() => globalThis.videoSystemService.createSession(4711).catch((e) => e.code));
    assert.equal(code, 'terrain_not_found');
  });

  step('works as a module with a token from a page elsewhere', async () => {
    const { token } = await call('POST', '/api/auth/tokens', { name: 'front-end' });
    const stranger = await openPage(browser);
    await stranger.page.goto(foreign.origin);
    const url = await stranger.page.evaluate(
      async ([base, secret, court]) => {
        const { createVideoSystem } = await import(`${base}/static/js/vigie-client.mjs`);
        const vigie = createVideoSystem({ baseUrl: base, token: secret, credentials: 'omit' });
        const { session: made } = await vigie.createSession(court);
        document.querySelector('#live').src = await vigie.getStreamUrlAsync(made.session_id);
        return vigie.getStreamUrl(made.session_id);
      },
      [server.url, token, terrain.id],
    );
    assert.match(url, /stream\.mjpeg\?ticket=/);
    await stranger.page.waitForFunction(() => document.querySelector('#live').naturalWidth > 0);
    assert.deepEqual(stranger.complaints, []);
  });
});
