// Many tiles over one connection, and every page on a narrow phone.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { administer, signIn, until } from './api.mjs';
import { chromium } from './browser.mjs';
import { openPage, step, unfit, waitForMotion } from './page.mjs';
import { startServer } from './server.mjs';

const CAMERAS = 6;

describe('many tiles and small screens', () => {
  let server;
  let browser;
  let call;

  before(async () => {
    server = await startServer();
    call = await administer(server.url);
    for (let n = 1; n <= CAMERAS; n += 1)
      await call('POST', '/api/cameras', { name: `Camera ${n}`, url: 'testcard:?width=320&height=180&fps=10&gop=10' });
    browser = await chromium();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function open(options, path = '/') {
    const { page, context } = await openPage(browser, options);
    await signIn(context, server.url);
    const sockets = [];
    page.on('websocket', (socket) => {
      if (socket.url().endsWith('/api/live/ws')) sockets.push(socket.url());
    });
    await page.goto(server.url + path);
    return { page, context, sockets };
  }

  step('all pictures of the wall share one socket', async () => {
    const { page, context, sockets } = await open({});
    await until(
      'all tiles show a picture',
      async () => (await page.locator('.tile video.live-on').count()) === CAMERAS,
    );
    for (let n = 0; n < CAMERAS; n += 1) await waitForMotion(page, `li:nth-child(${n + 1}) > .tile video.live-on`);
    assert.equal(sockets.length, 1);
    await context.close();
  });

  step('tiles fit without scrolling, keep 16:9, and arrows walk between them', async () => {
    const { page, context } = await open({ viewport: { width: 1366, height: 768 } });
    await page
      .locator('.tile')
      .nth(CAMERAS - 1)
      .waitFor();
    const boxes = await page.$$eval('.tile', (tiles) => tiles.map((tile) => tile.getBoundingClientRect().toJSON()));
    for (const { width, height, bottom } of boxes) {
      assert.ok(Math.abs(width / height - 16 / 9) < 0.02);
      assert.ok(bottom <= 768);
    }
    await page.locator('.tile').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    const label = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    assert.match(label ?? '', /^Camera [3-6],/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/cameras\/\d+/);
    await context.close();
  });

  step('pictures nobody looks at are not fetched', async () => {
    const { page, context } = await open({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true });
    await waitForMotion(page, '.tile video.live-on');
    const watched = async () => {
      const { cameras } = await call('GET', '/api/cameras');
      return cameras.filter((camera) => camera.streams[0].viewers > 0).length;
    };
    await until('the tiles below are let go', async () => (await watched()) < CAMERAS);
    await page.getByRole('link', { name: 'Settings' }).click();
    await until('nobody watches', async () => (await watched()) === 0);
    await context.close();
  });

  for (const path of ['/', '/cameras', '/cameras/1', '/archive', '/settings/account', '/nowhere']) {
    step(`${path} fits 360 px, and fingers`, async () => {
      const { page, context } = await open(
        { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, locale: 'fr' },
        path,
      );
      await page.locator('main').waitFor();
      await page.waitForTimeout(800);
      const { wide, small } = await unfit(page);
      assert.ok(wide <= 360, `the page is ${wide} px wide`);
      assert.deepEqual(small, []);
      await context.close();
    });
  }
});
