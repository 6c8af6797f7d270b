// The browser of end-to-end tests and screenshots: the system's Chromium, driven by playwright-core.
import { existsSync } from 'node:fs';
import { chromium as playwright } from 'playwright-core';

const CANDIDATES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export function chromium() {
  const executablePath = CANDIDATES.find((path) => path && existsSync(path));
  if (!executablePath)
    throw new Error('Chromium is missing: install the package `chromium`, or set CHROMIUM to its path.');
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
