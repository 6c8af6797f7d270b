import { afterEach, describe, expect, it, vi } from 'vitest';
import { get, post } from '../src/api/client';

const answer = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
const page = globalThis as { vigieEarly?: Map<string, Promise<Response>> };

afterEach(() => {
  delete page.vigieEarly;
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('answers that were asked for before the scripts came', () => {
  it('are used once', async () => {
    vi.spyOn(performance, 'now').mockReturnValue(900);
    const fetched = vi.fn(async () => answer({ from: 'now' }));
    vi.stubGlobal('fetch', fetched);
    page.vigieEarly = new Map([['/api/cameras', Promise.resolve(answer({ from: 'before' }))]]);
    expect(await get('/api/cameras')).toEqual({ from: 'before' });
    expect(await get('/api/cameras')).toEqual({ from: 'now' });
    expect(fetched).toHaveBeenCalledTimes(1);
  });

  it('are not used when they are old, or when something was changed since', async () => {
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => answer({ from: 'now' })),
    );
    const now = vi.spyOn(performance, 'now').mockReturnValue(60_000);
    page.vigieEarly = new Map([['/api/setup', Promise.resolve(answer({ from: 'before' }))]]);
    expect(await get('/api/setup')).toEqual({ from: 'now' });

    now.mockReturnValue(900);
    page.vigieEarly = new Map([['/api/cameras', Promise.resolve(answer({ from: 'before' }))]]);
    await post('/api/auth/login');
    expect(await get('/api/cameras')).toEqual({ from: 'now' });
  });

  it('fail as any other request does', async () => {
    vi.spyOn(performance, 'now').mockReturnValue(900);
    page.vigieEarly = new Map([['/api/cameras', Promise.reject(new TypeError('no network'))]]);
    await expect(get('/api/cameras')).rejects.toMatchObject({ status: 0, code: 'offline' });
  });
});
