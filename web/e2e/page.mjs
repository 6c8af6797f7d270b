// What the tests do with pages.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

const OUT = join(import.meta.dirname, 'out');
let lastPage = null;

/** A test case that leaves a picture of the page in e2e/out/ when it fails. */
export function step(name, run) {
  it(name, async () => {
    try {
      await run();
    } catch (error) {
      mkdirSync(OUT, { recursive: true });
      const path = join(OUT, `${name.replace(/\W+/g, '-').slice(0, 80)}.png`);
      await lastPage?.screenshot({ path, timeout: 5000 }).catch(() => undefined);
      throw error;
    }
  });
}

/** A small fingerprint of what an element shows: 16 × 9 grey values. */
export function fingerprint(page, selector) {
  return page.$eval(selector, (element) => {
    const canvas = document.createElement('canvas');
    canvas.width = 32;
    canvas.height = 18;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(element, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const grey = [];
    for (let i = 0; i < data.length; i += 4) grey.push(Math.round((data[i] + data[i + 1] + data[i + 2]) / 3));
    return grey;
  });
}

/** How far two fingerprints are apart, per pixel. */
export function difference(a, b) {
  return a.reduce((sum, value, index) => sum + Math.abs(value - b[index]), 0) / a.length;
}

/** Waits until the element shows a picture that is not one colour and changes. */
export async function waitForMotion(page, selector, timeoutMs = 20_000) {
  const end = Date.now() + timeoutMs;
  let first = null;
  let last = 'no picture';
  while (Date.now() < end) {
    await page.waitForSelector(selector, { timeout: Math.max(1, end - Date.now()) });
    const print = await fingerprint(page, selector).catch(() => null);
    if (print) {
      const flat = Math.max(...print) - Math.min(...print) < 8;
      if (!flat && first) {
        const moved = difference(first, print);
        if (moved > 0.05) return moved;
        last = `a picture that does not move (${moved})`;
      } else if (!flat) first = print;
      else last = 'a picture of one colour';
    }
    await page.waitForTimeout(200);
  }
  throw new Error(`${selector} shows ${last}`);
}

/** A page that fails the test when the console or a script complains; `expected` are texts that may appear. */
export async function openPage(browser, { expected = [], ...options } = {}) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  lastPage = page;
  const complaints = [];
  const note = (text) => {
    if (!expected.some((known) => text.includes(known))) complaints.push(text);
  };
  page.on('pageerror', (error) => note(`pageerror: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') note(`console: ${message.text()} ${message.location().url}`);
  });
  return { page, context, complaints };
}

/** How wide the page really is, and what on it a finger would miss. */
export async function unfit(page) {
  // What still moves has not its size yet.
  await page.evaluate(async () => {
    const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map(({ finished }) => finished));
  });
  return page.evaluate(() => ({
    wide: document.scrollingElement.scrollWidth,
    small: [...document.querySelectorAll('button, select, input, a.btn, nav a')]
      .filter((element) => element.checkVisibility() && element.type !== 'range' && element.type !== 'hidden')
      .map((element) => [element, (element.closest('label') ?? element).getBoundingClientRect()])
      .filter(
        ([element, box]) => box.width > 1 && Math.min(box.width, box.height) < 44 && !element.closest('.segmented'),
      )
      .map(([element, box]) => `${element.outerHTML.slice(0, 120)} ${box.width}×${box.height}`),
  }));
}
