// The screens of administrators, and the club that they show.

const CLUB = 'Riverside Tennis';

/** Two clubs with courts, people and a tablet; what is there already is left alone. `cameras` are numbers by court. */
export async function seedClubs(call, cameras) {
  const club = await ensure(call, '/api/clubs', 'clubs', 'club', { name: CLUB, timezone: 'Europe/Paris' });
  await ensure(call, '/api/clubs', 'clubs', 'club', { name: 'Padel Nord', timezone: 'Europe/Brussels' });
  const courts = [];
  for (const [index, camera] of cameras.entries()) {
    const name = `Court ${index + 1}`;
    courts.push(
      await ensure(call, `/api/clubs/${club.id}/terrains`, 'terrains', 'terrain', { name, camera_id: camera }),
    );
  }
  const clay = { name: 'Clay court', enabled: false };
  await ensure(call, `/api/clubs/${club.id}/terrains`, 'terrains', 'terrain', clay);
  const people = [
    ['reception', 'CLUB_ADMIN', true],
    ['left-handed', 'PLAYER', true],
    ['second-serve', 'PLAYER', true],
    ['net-cord', 'PLAYER', false],
  ];
  for (const [username, role, enabled] of people) {
    const body = { username, role, club_id: club.id, enabled, password: 'a short sentence 44' };
    await call('POST', '/api/admin/users', body).catch((error) => {
      if (!error.message.includes('duplicate_username')) throw error;
    });
  }
  await call('POST', `/api/terrains/${courts[0].id}/kiosk`, { hours: 720, name: 'Tablet at the net' });
  return { club, courts };
}

async function ensure(call, path, many, one, body) {
  const known = (await call('GET', path))[many].find(({ name }) => name === body.name);
  return known ?? (await call('POST', path, body))[one];
}

const words = (fr, en, language) => (language === 'fr' ? fr : en);
const settle = (page) => page.waitForTimeout(700);
const openMenu = async (page, name) => page.getByRole('button', { name: new RegExp(`(for|pour) ${name}$`) }).click();
const tablet = (page) => page.locator('.club-court-tools .btn').first().click();

export const ADMIN_VIEWS = {
  users: async ({ page }) => {
    await page.goto('/settings/users');
    await page.locator('.person').nth(3).waitFor();
    await settle(page);
  },
  'users-menu': async ({ page }) => {
    await page.goto('/settings/users');
    await openMenu(page, 'left-handed');
    await settle(page);
  },
  'users-add': async ({ page }) => {
    await page.goto('/settings/users');
    await page.locator('.person').nth(3).waitFor();
    await page.locator('.settings-head .btn-primary').click();
    await settle(page);
  },
  'users-reset': async ({ page, language }) => {
    await page.goto('/settings/users');
    await openMenu(page, 'second-serve');
    await page
      .getByRole('button', { name: words('Réinitialiser le mot de passe', 'Reset password', language) })
      .click();
    await page.locator('dialog button[type=submit]').click();
    await page.locator('dialog .copy').nth(2).waitFor();
    await settle(page);
  },
  'users-delete': async ({ page, language }) => {
    await page.goto('/settings/users');
    await openMenu(page, 'left-handed');
    await page.getByRole('button', { name: words('Supprimer', 'Delete', language), exact: true }).click();
    await settle(page);
  },
  clubs: async ({ page }) => {
    await page.goto('/settings/clubs');
    await page.locator('.club-court img').first().waitFor();
    await settle(page);
  },
  'court-edit': async ({ page }) => {
    await page.goto('/settings/clubs');
    await page.locator('.club-court-tools .btn').nth(1).click();
    await page.locator('.picker-choice img').first().waitFor();
    await settle(page);
  },
  'club-delete': async ({ page, language }) => {
    await page.goto('/settings/clubs');
    await openMenu(page, CLUB);
    await page.getByRole('button', { name: words('Supprimer', 'Delete', language), exact: true }).click();
    await settle(page);
  },
  tablet: async ({ page }) => {
    await page.goto('/settings/clubs');
    await tablet(page);
    await page.locator('.kiosk-passes li').first().waitFor();
    await settle(page);
  },
  'tablet-made': async ({ page }) => {
    await page.goto('/settings/clubs');
    await tablet(page);
    await page.locator('.kiosk-make button[type=submit]').click();
    await page.locator('.kiosk-qr').waitFor();
    await settle(page);
  },
  audit: async ({ page }) => {
    await page.goto('/settings/audit');
    await page.locator('.audit tbody tr').nth(5).waitFor();
    await settle(page);
  },
  'token-new': async ({ page }) => {
    await page.goto('/settings/tokens');
    await page.locator('.settings-head .btn').click();
    await page.locator('dialog select').first().selectOption('PLAYER');
    await settle(page);
  },
  diagnose: async ({ page }) => {
    await page.goto('/settings/diagnose');
    await page.locator('.log p').first().waitFor();
    await settle(page);
  },
  'users-loading': async ({ page }) => {
    await page.route('**/api/admin/users', () => undefined);
    await page.goto('/settings/users');
    await page.locator('.people .skeleton').first().waitFor();
    await settle(page);
  },
  'users-error': async ({ page }) => {
    await page.route('**/api/admin/users', (route) =>
      route.fulfill({ status: 503, json: { success: false, code: 'stopping', error: 'Vigie is stopping.' } }),
    );
    await page.goto('/settings/users');
    await page.locator('.empty').waitFor();
    await settle(page);
  },
};

/** Of a server with an administrator and nothing else. */
export const ADMIN_EMPTY_VIEWS = {
  'clubs-empty': async ({ page }) => {
    await page.goto('/settings/clubs');
    await page.locator('.empty').waitFor();
    await settle(page);
  },
  'first-steps': async ({ page }) => {
    await page.goto('/');
    await page.locator('.checklist').waitFor();
    await settle(page);
  },
};
