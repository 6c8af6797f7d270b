// A club is made by clicks, its people sign in and see what they may, and the log tells who did what.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe } from 'node:test';
import { ACCOUNT, administer, signIn, until } from './api.mjs';
import { chromium } from './browser.mjs';
import { openPage, step, unfit } from './page.mjs';
import { startServer } from './server.mjs';

/** Asking who we are before anybody signed in, and what is refused on purpose. */
const EXPECTED = ['401', '403', '409', '422'];
const CLUB = 'Riverside Tennis';
const COURT = 'Court 1';
const PLAYER = 'left-handed';

describe('an administrator', () => {
  let server;
  let browser;
  let call;
  let page;
  let context;
  let complaints;
  let player;
  let password;

  before(async () => {
    server = await startServer({ args: ['--demo'] });
    call = await administer(server.url);
    browser = await chromium();
    ({ page, context, complaints } = await openPage(browser, { expected: EXPECTED, acceptDownloads: true }));
    await signIn(context, server.url);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const dialog = (of = page) => of.getByRole('dialog');
  const copied = (of, label) => dialog(of).locator('.copy-row', { hasText: label }).locator('code').textContent();
  const closeDialog = () => dialog().getByRole('button', { name: 'Close' }).first().click();
  const person = (name) => page.locator('.person', { hasText: name });
  const courtRow = (name) => page.locator('.club-court', { hasText: name });
  const menu = async (name, item) => {
    await page.getByRole('button', { name: `Actions for ${name}` }).click();
    await page.getByRole('button', { name: item, exact: true }).click();
  };
  /** Somebody else's browser. */
  const arrive = async (username, secret) => {
    const other = await openPage(browser, { expected: EXPECTED });
    await other.page.goto(server.url);
    await enter(other.page, username, secret);
    return other;
  };
  const enter = async (of, username, secret) => {
    await of.getByLabel('User name').fill(username);
    await of.getByLabel('Password', { exact: true }).fill(secret);
    await of.getByRole('button', { name: 'Sign in' }).click();
  };

  step('without a club is shown the three steps, the camera ticked off', async () => {
    await page.goto(server.url);
    const steps = page.getByRole('complementary', { name: 'Set up your club' });
    await steps.waitFor();
    assert.equal(await steps.locator('.step-done').count(), 1);
    await steps.getByRole('link', { name: /Make a court/ }).click();
    await page.getByText('No club yet').waitFor();
  });

  step('adds a club', async () => {
    await page.getByRole('button', { name: 'Add club' }).first().click();
    await page.getByLabel('Name').fill(CLUB);
    await page.getByLabel('Time zone').selectOption('Europe/Paris');
    await dialog().getByRole('button', { name: 'Add club' }).click();
    await page.getByRole('region', { name: CLUB }).getByText('Europe/Paris').waitFor();
  });

  step('adds a court and the camera that looks at it, seeing its picture', async () => {
    await page.getByRole('button', { name: 'Add court' }).click();
    await page.getByLabel('Name').fill(COURT);
    const choice = dialog().locator('.picker-choice').first();
    await choice.locator('img').evaluate((image) => image.decode());
    await choice.click();
    await dialog().getByRole('button', { name: 'Add court' }).click();
    await courtRow(COURT).getByText('Ready').waitFor();
    const { terrains } = await call('GET', '/api/terrains');
    assert.equal(terrains.length, 1);
    assert.notEqual(terrains[0].camera_id, null);
  });

  step('is told that another court has the name', async () => {
    await page.getByRole('button', { name: 'Add court' }).click();
    await page.getByLabel('Name').fill(COURT.toLowerCase());
    await dialog().getByRole('button', { name: 'Add court' }).click();
    await page.getByText('Another court of this club has this name').waitFor();
    await closeDialog();
  });

  step('switches the court off and on', async () => {
    const toggle = page.getByRole('switch', { name: `${COURT} may be used` });
    await toggle.click();
    await courtRow(COURT).getByText('Switched off').waitFor();
    assert.equal(await toggle.getAttribute('aria-checked'), 'false');
    await toggle.click();
    await courtRow(COURT).getByText('Ready').waitFor();
  });

  step('adds a player and reads the password once', async () => {
    await page.goto(`${server.url}/settings/users`);
    await page.getByRole('button', { name: 'Add user' }).click();
    await page.getByLabel('User name').fill(PLAYER);
    await dialog().getByRole('button', { name: 'Create account' }).click();
    await page.getByText(`${PLAYER} can sign in`).waitFor();
    password = await copied(page, 'Password');
    assert.ok(password.length >= 8);
    assert.equal(await copied(page, 'User name'), PLAYER);
    await dialog().getByRole('button', { name: 'Done' }).click();
    await person(PLAYER).getByText(`Player · ${CLUB}`).waitFor();
    assert.doesNotMatch(await page.content(), new RegExp(password.replace(/\W/g, '\\$&')));
  });

  step('is told that a user name is taken', async () => {
    await page.getByRole('button', { name: 'Add user' }).click();
    await page.getByLabel('User name').fill(PLAYER.toUpperCase());
    await dialog().getByRole('button', { name: 'Create account' }).click();
    await page.getByText('Somebody else has this user name').waitFor();
    await closeDialog();
  });

  step('is shown the steps no more', async () => {
    await page.goto(server.url);
    await page.locator('.tile').first().waitFor();
    await page.getByRole('complementary', { name: 'Set up your club' }).waitFor({ state: 'hidden' });
  });

  step('lets the player in, who sees the court and nothing of the administration', async () => {
    player = await arrive(PLAYER, password);
    await player.page.waitForURL(/\/record/);
    await player.page.getByText(COURT).first().waitFor();
    const places = await player.page.getByRole('navigation', { name: 'Main' }).getByRole('listitem').allInnerTexts();
    assert.deepEqual(
      places.map((place) => place.trim()),
      ['Live', 'Record', 'Settings'],
    );
    await player.page.goto(`${server.url}/settings/users`);
    await player.page.getByText('You are not allowed to do this').waitFor();
    await player.page.goto(`${server.url}/cameras`);
    await player.page.getByText('You are not allowed to do this').waitFor();
    const refused = await player.context.request.get(`${server.url}/api/admin/users`);
    assert.equal(refused.status(), 403);
  });

  step('resets the password of the player, who is signed out and comes back with the new one', async () => {
    await page.goto(`${server.url}/settings/users`);
    await menu(PLAYER, 'Reset password');
    await dialog().getByRole('button', { name: 'Reset password' }).click();
    await page.getByText(`New password for ${PLAYER}`).waitFor();
    const next = await copied(page, 'Password');
    assert.notEqual(next, password);
    await dialog().getByRole('button', { name: 'Done' }).click();

    await player.page.goto(`${server.url}/settings/account`);
    await enter(player.page, PLAYER, password);
    await player.page.getByText('User name or password is wrong').waitFor();
    await player.page.getByLabel('Password', { exact: true }).fill(next);
    await player.page.getByRole('button', { name: 'Sign in' }).click();
    await player.page.getByRole('heading', { name: 'Settings' }).waitFor();
    password = next;
  });

  step('keeps the player out, and takes it back', async () => {
    await menu(PLAYER, 'Disable');
    await person(PLAYER).getByText('Disabled').waitFor();
    await until('the player is out', async () => {
      const answer = await player.context.request.get(`${server.url}/api/auth/me`);
      return answer.status() === 401;
    });
    await page.getByRole('button', { name: 'Undo' }).click();
    await person(PLAYER).getByText('Disabled').waitFor({ state: 'hidden' });
    await player.page.goto(server.url);
    await enter(player.page, PLAYER, password);
    await player.page.waitForURL(/\/record/);
  });

  step('cannot touch the own role', async () => {
    await menu(ACCOUNT.username, 'Edit');
    assert.equal(await dialog().getByLabel('Role').isDisabled(), true);
    await closeDialog();
  });

  step('comes to everything by keyboard, and back to where it was', async () => {
    const name = `Actions for ${PLAYER}`;
    await page.getByRole('button', { name }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: `Edit ${PLAYER}` }).waitFor();
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    await until('the focus is back', async () => (await focused()) === name);
  });

  step('makes a link for a tablet: a code to scan, which opens this court without an account', async () => {
    await page.goto(`${server.url}/settings/clubs`);
    await page.getByRole('button', { name: `Tablet beside ${COURT}` }).click();
    await page.getByText('None yet.').waitFor();
    await page.getByRole('button', { name: '7 days' }).click();
    await page.getByLabel('Name (optional)').fill('Tablet at the net');
    await page.getByRole('button', { name: 'Make a link' }).click();
    const code = page.getByAltText('QR code of the link');
    await code.waitFor();
    assert.ok(await code.evaluate(async (image) => image.decode().then(() => image.naturalWidth > 0)));
    const link = await copied(page, 'Link');
    assert.match(link, /^http:\/\/.+\/kiosk\/\d+#.{20,}$/);
    await page.getByText('A tablet cannot reach this address').waitFor();

    const tablet = await openPage(browser, { expected: EXPECTED, viewport: { width: 1024, height: 768 } });
    await tablet.page.goto(link);
    await tablet.page.getByText(COURT).first().waitFor();
    const me = await (await tablet.context.request.get(`${server.url}/api/auth/me`)).json();
    assert.equal(me.user.role, 'PLAYER');
    assert.equal((await tablet.context.request.get(`${server.url}/api/admin/users`)).status(), 403);

    await page.getByRole('button', { name: 'Revoke Tablet at the net' }).click();
    await page
      .getByRole('dialog', { name: 'Revoke Tablet at the net?' })
      .getByRole('button', { name: 'Revoke' })
      .click();
    await page.getByText('The link no longer works').waitFor();
    assert.equal((await tablet.context.request.get(`${server.url}/api/auth/me`)).status(), 401);
    await tablet.context.close();
    await closeDialog();
  });

  step('cannot lose courts by deleting their club', async () => {
    await page.goto(`${server.url}/settings/clubs`);
    await menu(CLUB, 'Delete');
    await page.getByText(`${CLUB} cannot be deleted yet`).waitFor();
    await closeDialog();
  });

  step('makes a token that may little, and not for long', async () => {
    await page.goto(`${server.url}/settings/tokens`);
    await page.getByRole('button', { name: 'Create a token' }).click();
    await page.getByLabel('Name').fill('Club website');
    await page.getByLabel('May do at most').selectOption('PLAYER');
    await page.getByLabel('Club', { exact: true }).selectOption({ label: CLUB });
    await page.getByLabel('Ends').selectOption('30');
    await dialog().getByRole('button', { name: 'Create a token' }).click();
    await page.getByText('Copy it now').waitFor();
    const token = await copied(page, 'Token');
    await dialog().getByRole('button', { name: 'Done' }).click();
    await page.getByText(`Player · ${CLUB} · May only read`).waitFor();
    const asked = (path, method = 'GET') =>
      fetch(server.url + path, { method, headers: { Authorization: `Bearer ${token}` } });
    assert.equal((await asked('/api/terrains')).status, 200);
    assert.equal((await asked('/api/admin/users')).status, 403);
    const { tokens } = await call('GET', '/api/auth/tokens');
    const left = Date.parse(tokens.find(({ name }) => name === 'Club website').expires_at) - Date.now();
    assert.ok(Math.abs(left / 86_400_000 - 30) < 0.1);
  });

  step('makes an administrator of the club, who manages its players only', async () => {
    await page.goto(`${server.url}/settings/users`);
    await page.getByRole('button', { name: 'Add user' }).click();
    await page.getByLabel('User name').fill('reception');
    await page.getByLabel('Role').selectOption('CLUB_ADMIN');
    await page.getByRole('button', { name: 'Choose one' }).click();
    await page.getByLabel('New password').fill('a short sentence 43');
    await dialog().getByRole('button', { name: 'Create account' }).click();
    await dialog().getByRole('button', { name: 'Done' }).click();

    const desk = await arrive('reception', 'a short sentence 43');
    await desk.page.getByRole('heading', { name: 'Live' }).waitFor();
    await desk.page.goto(`${server.url}/settings/users`);
    await desk.page.getByRole('heading', { name: 'Players' }).waitFor();
    await desk.page.locator('.person', { hasText: PLAYER }).waitFor();
    assert.equal(await desk.page.locator('.person').count(), 1);
    await desk.page.getByRole('button', { name: 'Add player' }).click();
    assert.equal(await dialog(desk.page).getByLabel('Role').count(), 0);
    await desk.page.getByLabel('User name').fill('second-serve');
    await dialog(desk.page).getByRole('button', { name: 'Create account' }).click();
    await desk.page.getByText('second-serve can sign in').waitFor();
    await dialog(desk.page).getByRole('button', { name: 'Done' }).click();
    await desk.page.locator('.person', { hasText: 'second-serve' }).getByText(`Player · ${CLUB}`).waitFor();

    await desk.page.goto(`${server.url}/settings/clubs`);
    await desk.page.getByRole('region', { name: CLUB }).waitFor();
    assert.equal(await desk.page.getByRole('button', { name: 'Add club' }).count(), 0);
    await desk.page.goto(`${server.url}/settings/audit`);
    await desk.page.getByText('You are not allowed to do this').waitFor();

    await desk.page.goto(`${server.url}/cameras`);
    await desk.page.getByRole('button', { name: 'Add camera' }).click();
    assert.equal(await desk.page.getByRole('button', { name: /No camera at hand/ }).count(), 0);
    await desk.page.getByLabel('Camera address').fill('testcard:');
    await dialog(desk.page).getByRole('button', { name: 'Save' }).click();
    await desk.page.getByText('An address begins with rtsp:// or http://').waitFor();
    assert.deepEqual(desk.complaints, []);
    await desk.context.close();
  });

  step('deletes a player after being told what is lost', async () => {
    await page.goto(`${server.url}/settings/users`);
    await menu('second-serve', 'Delete');
    await page.getByText('They recorded nothing.').waitFor();
    await dialog().getByRole('button', { name: 'Delete account' }).click();
    await page.getByText('second-serve was deleted').waitFor();
    await person('second-serve').waitFor({ state: 'hidden' });
  });

  step('reads who did what, by action and by person, and takes it along', async () => {
    await page.goto(`${server.url}/settings/audit`);
    await page.locator('.audit tbody tr').first().waitFor();
    await page.getByLabel('Action').selectOption({ label: 'Created a court' });
    await until('one row is left', async () => (await page.locator('.audit tbody tr').count()) === 1);
    const cells = await page.locator('.audit tbody tr').first().locator('td').allInnerTexts();
    assert.equal(cells[1], ACCOUNT.username);
    assert.equal(cells[3], COURT);
    await page.getByLabel('Action').selectOption('');
    await page.getByLabel('Person').selectOption('reception');
    await page.locator('.audit tbody tr', { hasText: 'Created a user' }).waitFor();
    assert.equal(await page.locator('.audit-who', { hasText: ACCOUNT.username }).count(), 0);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export as CSV' }).click(),
    ]);
    assert.match(download.suggestedFilename(), /^vigie-audit-\d{4}-\d{2}-\d{2}\.csv$/);
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\r\n');
    assert.equal(lines.length, (await page.locator('.audit tbody tr').count()) + 1);
    assert.ok(lines.some((line) => line.includes('reception,user.create,user/')));
  });

  step('reads how the server does, and filters its log', async () => {
    await page.goto(`${server.url}/settings/diagnose`);
    const { version } = await call('GET', '/api/health');
    await page.getByText(version).first().waitFor();
    const lines = page.locator('.log p');
    await lines.first().waitFor();
    const all = await lines.count();
    await page.getByLabel('Search the log').fill('listening');
    await until('fewer lines are left', async () => (await lines.count()) < all && (await lines.count()) > 0);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ]);
    const text = readFileSync(await download.path(), 'utf8');
    assert.equal(JSON.parse(text).version, version);
    for (const secret of [ACCOUNT.password, password]) assert.ok(!text.includes(secret));
  });

  for (const [path, opened] of [
    ['/', null],
    ['/settings/users', '.settings-head .btn-primary'],
    ['/settings/clubs', '.club-court-tools .btn'],
    ['/settings/clubs', '.club-head .btn:not(.btn-icon)'],
    ['/settings/tokens', '.settings-head .btn'],
    ['/settings/audit', null],
    ['/settings/diagnose', null],
  ]) {
    step(`${path}${opened ? ` with ${opened}` : ''} fits 360 px, and fingers`, async () => {
      const phone = {
        viewport: { width: 360, height: 740 },
        isMobile: true,
        hasTouch: true,
        locale: 'fr',
      };
      const small = await openPage(browser, { ...phone, expected: EXPECTED });
      await signIn(small.context, server.url);
      await small.page.goto(server.url + path);
      await small.page.locator('main').waitFor();
      await until('everything is there', async () => (await small.page.locator('.skeleton').count()) === 0);
      if (opened) {
        await small.page.locator(opened).first().click();
        await dialog(small.page).waitFor();
      }
      const found = await unfit(small.page);
      assert.ok(found.wide <= 360, `the page is ${found.wide} px wide`);
      assert.deepEqual(found.small, []);
      await small.context.close();
    });
  }

  step('met no complaint of the browser on the way', () => {
    assert.deepEqual(complaints, []);
  });
});
