import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError, del, get, onSignedOut, post, setApiLanguage } from '../src/api/client';

type Call = { path: string; init: RequestInit & { headers: Record<string, string> } };

function serve(
  answer: (call: Call, count: number) => { status: number; body?: unknown; headers?: Record<string, string> },
) {
  const calls: Call[] = [];
  vi.stubGlobal('fetch', async (path: string, init: Call['init']) => {
    calls.push({ path, init });
    const { status, body, headers } = answer({ path, init }, calls.length);
    return new Response(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body), {
      status,
      headers,
    });
  });
  return calls;
}

afterEach(() => vi.unstubAllGlobals());

describe('requests', () => {
  it('prove that they come from our page, and in which language to answer', async () => {
    setApiLanguage('fr');
    const calls = serve(() => ({ status: 200, body: { success: true } }));
    await post('/api/x', { a: 1 });
    await get('/api/x');
    expect(calls[0]?.init.headers).toMatchObject({ 'X-Requested-With': 'vigie', 'Accept-Language': 'fr' });
    expect(calls[0]?.init.body).toBe('{"a":1}');
    expect(calls[1]?.init.headers).not.toHaveProperty('X-Requested-With');
  });

  it('fail with the code, details and pause of the envelope', async () => {
    serve(() => ({
      status: 429,
      body: { success: false, code: 'rate_limited', error: 'Wait.', details: { n: 1 } },
      headers: { 'Retry-After': '7' },
    }));
    const error = await del('/api/x').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 429,
      code: 'rate_limited',
      message: 'Wait.',
      details: { n: 1 },
      retryAfter: 7,
    });
  });

  it('tell a dead server from an angry one', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed')));
    await expect(get('/api/x')).rejects.toMatchObject({ status: 0, code: 'offline' });
    serve(() => ({ status: 502, body: '<html>' }));
    await expect(get('/api/x')).rejects.toMatchObject({ status: 502, code: 'http_502' });
    serve(() => ({ status: 200, body: '<html>' }));
    await expect(get('/api/x')).rejects.toMatchObject({ code: 'bad_answer' });
  });
});

describe('an expired sign-in', () => {
  it('is renewed once for all who noticed, and they try again', async () => {
    let fresh = false;
    const calls = serve(({ path }) => {
      if (path === '/api/auth/refresh') {
        fresh = true;
        return { status: 200, body: { success: true } };
      }
      return fresh ? { status: 200, body: { success: true, path } } : { status: 401, body: { success: false } };
    });
    const answers = await Promise.all([get<{ path: string }>('/api/a'), get<{ path: string }>('/api/b')]);
    expect(answers.map((answer) => answer.path)).toEqual(['/api/a', '/api/b']);
    expect(calls.filter((call) => call.path === '/api/auth/refresh')).toHaveLength(1);
  });

  it('that cannot be renewed is announced', async () => {
    const told = vi.fn();
    const forget = onSignedOut(told);
    serve(() => ({ status: 401, body: { success: false, code: 'unauthenticated' } }));
    await expect(get('/api/a')).rejects.toMatchObject({ status: 401 });
    expect(told).toHaveBeenCalledTimes(1);
    forget();
  });

  it('leaves a wrong password alone', async () => {
    const calls = serve(() => ({ status: 401, body: { success: false, code: 'bad_credentials' } }));
    await expect(post('/api/auth/login', {})).rejects.toMatchObject({ code: 'bad_credentials' });
    expect(calls).toHaveLength(1);
  });
});
