// The browser of end-to-end tests and screenshots, driven by playwright-core.
import { existsSync } from 'node:fs';
import { chromium as playwright } from 'playwright-core';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export async function chromium() {
  const found = process.env.CHROMIUM_PATH || CANDIDATES.find((path) => existsSync(path));
  // Without a browser of the system: the one that `npx playwright-core install chromium` brought.
  const executablePath = found ?? playwright.executablePath();
  if (!existsSync(executablePath))
    throw new Error('Chromium is missing: run `make setup`, or set CHROMIUM_PATH to a Chromium.');
  return playwright.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
      '--font-render-hinting=none',
    ],
  });
}
