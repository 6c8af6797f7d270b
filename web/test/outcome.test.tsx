// What the test of a camera shows.
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import type { TestResult } from '../src/api/model';
import { TestOutcome } from '../src/features/cameras/TestOutcome';
import { I18nProvider } from '../src/i18n';
import en from '../src/i18n/en.json';
import fr from '../src/i18n/fr.json';

const PICTURE = 'data:image/jpeg;base64,/9g=';
const good: TestResult = {
  success: true,
  connection_type: 'rtsp',
  response_time_ms: 240,
  resolution: '1920x1080',
  fps: 25,
  codec: 'h264',
  picture: PICTURE,
};

function show(props: { pending?: boolean; result?: TestResult }, language: 'en' | 'fr' = 'en') {
  return renderToStaticMarkup(
    <I18nProvider initial={language} dictionary={language === 'en' ? en : fr}>
      <TestOutcome pending={false} error={null} {...props} />
    </I18nProvider>,
  );
}

it('the picture stands above the facts, and says what it is', () => {
  const html = show({ result: good });
  expect(html).toContain(`<img class="form-picture" src="${PICTURE}" alt="What the camera sees"/>`);
  expect(html.indexOf('<img')).toBeLessThan(html.indexOf('1920 × 1080'));
  expect(show({ result: good }, 'fr')).toContain('alt="Ce que voit la caméra"');
});

it('its place is kept while the camera is asked', () => {
  expect(show({ pending: true })).toContain('<div class="form-picture skeleton"');
});

it('a picture that cannot be decoded leaves the facts', () => {
  const html = show({ result: { ...good, picture: null } });
  expect(html).not.toContain('<img');
  expect(html).toContain('1920 × 1080');
  expect(show({ result: { ...good, success: false, picture: null, error_code: 'auth' } })).not.toContain('<img');
});
