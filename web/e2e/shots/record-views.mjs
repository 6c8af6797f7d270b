// The screens of players, of their clubs, and of the tablet beside a court.
import { until } from '../api.mjs';
import { waitForMotion } from '../page.mjs';

/** On the second court: a finished match with markers and clips, and one that runs. Gives what the views open. */
export async function seedMatches(call, courts) {
  const [, court] = courts;
  const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
  const record = async () => {
    const { session } = await call('POST', '/api/video/session/create', { terrain_id: court.id, reuse: true });
    await call('POST', '/api/video/record/start', { session_id: session.session_id, duration_minutes: 90 });
    return session.session_id;
  };
  const session_id = await record();
  const path = `/api/video/session/${session_id}/mark`;
  for (const [seconds, label, clip] of [
    [5, 'Break point', true],
    [4, 'Long rally', false],
    [5, 'Match point', true],
  ]) {
    await wait(seconds);
    await call('POST', path, { seconds: 10, label, clip });
  }
  const { recording_id } = await call('POST', '/api/video/record/stop', { session_id });
  await call('POST', '/api/video/session/close', { session_id });
  await record();
  await until('the clips are listed', async () => {
    const { videos } = await call('GET', `/api/video/files/list?club_id=${court.club_id}&kind=clip`);
    return videos.length >= 2;
  });
  return { match: recording_id, free: courts[0].id, busy: court.id };
}

const settle = (page, ms = 900) => page.waitForTimeout(ms);

export const RECORD_VIEWS = {
  courts: async ({ page }) => {
    await page.goto('/record');
    await waitForMotion(page, '.court video.live-on');
    await settle(page, 2500);
  },
  'record-new': async ({ page, seeded }) => {
    await page.goto(`/record?court=${seeded.free}`);
    await page.locator('dialog .estimate').waitFor();
    await waitForMotion(page, 'dialog video.live-on');
    await settle(page);
  },
  'record-stop': async ({ page }) => {
    await page.goto('/record');
    await page.locator('.court-recording .court-button').click();
    await page.locator('dialog').waitFor();
    await settle(page);
  },
  'court-running': async ({ page, seeded }) => {
    await page.goto(`/record?court=${seeded.busy}`);
    await page.locator('dialog [role=progressbar]').waitFor();
    await waitForMotion(page, 'dialog video.live-on');
    await settle(page, 2500);
  },
  videos: async ({ page }) => {
    await page.goto('/record/videos');
    await page.locator('.videos-clips button').first().click();
    await settle(page, 1800);
  },
  'videos-none': async ({ page }) => {
    await page.goto('/record/videos');
    await page.locator('.videos-filters input').first().fill('zzz');
    await page.locator('.empty').waitFor();
  },
  watch: async ({ page, seeded }) => {
    await page.goto(`/record/videos/${seeded.match}`);
    await page.locator('.marker').first().waitFor();
    await waitForMotion(page, '.player-video');
    await page.keyboard.press('i');
    await settle(page, 2000);
    await page.keyboard.press('o');
    await settle(page);
  },
  sessions: async ({ page }) => {
    await page.goto('/record/sessions');
    await page.locator('.session').first().waitFor();
    await settle(page, 2200);
  },
  kiosk: async ({ page, seeded }) => {
    await page.goto(`/kiosk/${seeded.free}`);
    await waitForMotion(page, '.kiosk-picture video.live-on');
    await settle(page);
  },
  'kiosk-recording': async ({ page, seeded }) => {
    await page.goto(`/kiosk/${seeded.busy}`);
    await page.locator('.kiosk-stop').waitFor();
    await waitForMotion(page, '.kiosk-picture video.live-on');
    await settle(page, 2000);
  },
  'kiosk-replay': async ({ page, seeded }) => {
    await page.goto(`/kiosk/${seeded.busy}`);
    await page.locator('.kiosk-clips button').first().click();
    await waitForMotion(page, '.replay video');
    await settle(page);
  },
  'kiosk-scan': async ({ page, context, seeded }) => {
    await context.clearCookies();
    await page.goto(`/kiosk/${seeded.free}`);
    await page.locator('.kiosk-gate .empty').waitFor();
  },
  'courts-loading': async ({ page }) => {
    await page.route('**/api/terrains', () => undefined);
    await page.goto('/record');
    await page.locator('.court .skeleton').first().waitFor();
    await settle(page);
  },
  'courts-error': async ({ page }) => {
    await page.route('**/api/terrains', (route) => route.abort());
    await page.goto('/record');
    await page.locator('.empty').waitFor();
    await settle(page);
  },
};

export const RECORD_EMPTY_VIEWS = {
  'courts-empty': async ({ page }) => {
    await page.goto('/record');
    await page.locator('.empty').waitFor();
  },
  'videos-empty': async ({ page }) => {
    await page.goto('/record/videos');
    await page.locator('.empty').waitFor();
  },
  'sessions-empty': async ({ page }) => {
    await page.goto('/record/sessions');
    await page.locator('.empty').waitFor();
  },
};
