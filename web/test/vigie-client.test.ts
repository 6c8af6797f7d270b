import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import '../public/static/js/vigie-client.js';

interface Call {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
  credentials: string;
}
type Answer = { status?: number; body?: unknown; headers?: Record<string, string> };
type Service = Record<string, (...values: unknown[]) => Promise<Record<string, unknown>>> & {
  getStreamUrl(id: string): string;
  getSnapshotUrl(id: string): string;
  getDownloadUrl(id: string, club?: number): string;
};
interface Holder {
  getState(): Record<string, unknown>;
  subscribe(listener: () => void): () => void;
  [action: string]: (...values: never[]) => unknown;
}
interface Client {
  VigieError: new (...values: unknown[]) => Error;
  createVideoSystem(options?: object): Service;
  videoSystemService: Service;
  useVideoRecording(options?: object): Holder & Record<string, (value?: unknown) => Promise<void>>;
  useVideoList(club: number, options?: object): Holder & Record<string, (value?: unknown) => Promise<void>>;
  useSystemHealth(options?: object): Holder;
}
const { VigieError, createVideoSystem, useVideoRecording, useVideoList, useSystemHealth } = (
  globalThis as unknown as { VigieClient: Client }
).VigieClient;

/** A server that answers as told and remembers what it was asked. */
function serve(answer: (call: Call, count: number) => Answer, options: object = {}) {
  const calls: Call[] = [];
  const fetch = async (url: string, init: RequestInit & { headers: Record<string, string> }) => {
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined;
    const call = {
      method: init.method ?? 'GET',
      path: url,
      headers: init.headers,
      body,
      credentials: init.credentials ?? '',
    };
    calls.push(call);
    const { status = 200, body: text = { success: true }, headers } = answer(call, calls.length);
    return new Response(typeof text === 'string' ? text : JSON.stringify(text), { status, headers });
  };
  return { calls, service: createVideoSystem({ fetch, ...options }) };
}

describe('each function asks what the older client asked', () => {
  const table: [string, unknown[], string, string, unknown?][] = [
    ['createSession', [1], 'POST', '/api/video/session/create', { terrain_id: 1 }],
    ['closeSession', ['sess_1_1_7'], 'POST', '/api/video/session/close', { session_id: 'sess_1_1_7' }],
    ['listSessions', [], 'GET', '/api/video/session/list'],
    [
      'startRecording',
      ['sess_1_1_7', 90],
      'POST',
      '/api/video/record/start',
      { session_id: 'sess_1_1_7', duration_minutes: 90 },
    ],
    ['startRecording', ['sess_1_1_7'], 'POST', '/api/video/record/start', { session_id: 'sess_1_1_7' }],
    ['stopRecording', ['sess_1_1_7'], 'POST', '/api/video/record/stop', { session_id: 'sess_1_1_7' }],
    ['getRecordingStatus', ['sess_1_1_7'], 'GET', '/api/video/record/status/sess_1_1_7'],
    ['listVideos', [1], 'GET', '/api/video/files/list?club_id=1'],
    ['listVideos', [], 'GET', '/api/video/files/list'],
    ['deleteVideo', ['sess_1_1_7', 1], 'DELETE', '/api/video/files/sess_1_1_7/delete?club_id=1'],
    ['checkHealth', [], 'GET', '/api/video/health'],
    ['cleanup', [], 'POST', '/api/video/cleanup'],
  ];
  for (const [name, values, method, path, body] of table) {
    it(`${name}(${values.join(', ')})`, async () => {
      const { calls, service } = serve(() => ({ body: { success: true, said: name } }));
      expect(await service[name]?.(...values)).toEqual({ success: true, said: name });
      expect(calls).toHaveLength(1);
      expect(calls[0]).toMatchObject({ method, path, body });
    });
  }

  it('with the addresses of pictures and files', () => {
    const { service } = serve(() => ({}), { baseUrl: 'http://vigie.local:5000/' });
    expect(service.getStreamUrl('s')).toBe('http://vigie.local:5000/api/preview/s/stream.mjpeg');
    expect(service.getSnapshotUrl('s')).toMatch(/^http:\/\/vigie\.local:5000\/api\/preview\/s\/snapshot\.jpg\?t=\d+$/);
    expect(service.getDownloadUrl('s', 2)).toBe('http://vigie.local:5000/api/video/files/s/download?club_id=2');
  });

  it('and an id cannot lead elsewhere', async () => {
    const { calls, service } = serve(() => ({}));
    await service.getRecordingStatus?.('../../auth/me?x=#');
    expect(calls[0]?.path).toBe('/api/video/record/status/..%2F..%2Fauth%2Fme%3Fx%3D%23');
  });
});

describe('who asks', () => {
  it('sends a token where there is one, also from a function', async () => {
    const { calls, service } = serve(() => ({}), { token: async () => 'vgt_x', credentials: 'omit' });
    await service.cleanup?.();
    expect(calls[0]?.headers).toMatchObject({ Authorization: 'Bearer vgt_x', 'X-Requested-With': 'vigie' });
    expect(calls[0]?.credentials).toBe('omit');
  });

  it('refreshes an expired cookie once, however many ask', async () => {
    let fresh = false;
    const { calls, service } = serve((call) => {
      if (call.path === '/api/auth/refresh') fresh = true;
      return fresh ? {} : { status: 401, body: { success: false, code: 'unauthenticated', error: 'Sign in.' } };
    });
    await Promise.all([service.checkHealth?.(), service.listSessions?.()]);
    expect(calls.filter((call) => call.path === '/api/auth/refresh')).toHaveLength(1);
    expect(calls).toHaveLength(5);
  });

  it('does not refresh a token', async () => {
    const { calls, service } = serve(() => ({ status: 401, body: { success: false, code: 'unauthenticated' } }), {
      token: 'old',
    });
    await expect(service.listSessions?.()).rejects.toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(calls).toHaveLength(1);
  });

  it('gets a ticket for pictures with a token, and keeps it while it is good', async () => {
    vi.useFakeTimers();
    const { calls, service } = serve(() => ({ body: { success: true, ticket: 't1', expires_in: 600 } }), {
      token: 'x',
    });
    expect(service.getStreamUrl('s')).toBe('/api/preview/s/stream.mjpeg');
    expect(await service.getStreamUrlAsync?.('s')).toBe('/api/preview/s/stream.mjpeg?ticket=t1');
    expect(await service.getSnapshotUrlAsync?.('s')).toMatch(/snapshot\.jpg\?t=\d+&ticket=t1$/);
    expect(service.getStreamUrl('s')).toBe('/api/preview/s/stream.mjpeg?ticket=t1');
    expect(calls.map((call) => [call.method, call.path])).toEqual([['POST', '/api/preview/s/ticket']]);
    vi.advanceTimersByTime(560_000);
    await service.getStreamUrlAsync?.('s');
    expect(calls).toHaveLength(2);
    vi.useRealTimers();
  });

  it('needs no ticket for pictures with a cookie', async () => {
    const { calls, service } = serve(() => ({}));
    expect(await service.getStreamUrlAsync?.('s')).toBe('/api/preview/s/stream.mjpeg');
    expect(calls).toHaveLength(0);
  });
});

describe('failures', () => {
  it('have the code, details and pause of the server', async () => {
    const { service } = serve(() => ({
      status: 409,
      body: { success: false, code: 'session_exists', error: 'Open.', details: { session_id: 'sess_1_1_7' } },
      headers: { 'Retry-After': '7' },
    }));
    const error = await service.createSession?.(1).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(VigieError);
    const details = { session_id: 'sess_1_1_7' };
    expect(error).toMatchObject({ status: 409, code: 'session_exists', message: 'Open.', details, retryAfter: 7 });
  });

  it('tell a dead server, a foreign one and an angry one apart', async () => {
    const dead = createVideoSystem({ fetch: () => Promise.reject(new TypeError('failed')) });
    await expect(dead.checkHealth?.()).rejects.toMatchObject({ status: 0, code: 'offline' });
    const foreign = serve(() => ({ body: '<html>' })).service;
    await expect(foreign.checkHealth?.()).rejects.toMatchObject({ code: 'bad_answer' });
    const angry = serve(() => ({ status: 502, body: '<html>' })).service;
    await expect(angry.checkHealth?.()).rejects.toMatchObject({ status: 502, code: 'http_502' });
    await expect(angry.downloadVideo?.('s', 1)).rejects.toMatchObject({ code: 'no_browser' });
  });
});

describe('state holders', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const SESSION = { session_id: 'sess_1_1_7' };
  /** A server with one court, whose recording ends by itself at its third look. */
  function court() {
    let looks = 0;
    return serve(({ path }) => {
      if (path.endsWith('/create')) return { body: { success: true, session: SESSION } };
      if (path.includes('/status/')) {
        looks += 1;
        return { body: { success: true, status: { active: looks < 3, elapsed_seconds: looks } } };
      }
      return { body: { success: true, video_path: '/v.mp4' } };
    });
  }

  it('follow a recording to its end, and then ask no more', async () => {
    const { calls, service } = court();
    const recording = useVideoRecording({ service, pollMs: 2000 });
    const seen: unknown[] = [];
    recording.subscribe(() => seen.push(recording.getState().phase));
    await recording.open?.(1);
    expect(recording.getState()).toMatchObject({
      phase: 'ready',
      session: SESSION,
      streamUrl: '/api/preview/sess_1_1_7/stream.mjpeg',
    });
    await recording.start?.(90);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(recording.getState()).toMatchObject({ phase: 'complete', status: { elapsed_seconds: 3 } });
    expect(calls.filter((call) => call.path.includes('/status/'))).toHaveLength(3);
    expect(new Set(seen)).toEqual(new Set(['creating', 'ready', 'starting', 'recording', 'complete']));
  });

  it('stop a recording and close its session', async () => {
    const { calls, service } = court();
    const recording = useVideoRecording({ service });
    await recording.open?.(1);
    await recording.start?.(90);
    await recording.stop?.();
    expect(recording.getState()).toMatchObject({ phase: 'complete', result: { video_path: '/v.mp4' } });
    await recording.close?.();
    expect(recording.getState()).toMatchObject({ phase: 'idle', session: null, streamUrl: null });
    const asked = calls.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(calls).toHaveLength(asked);
  });

  it('say what failed, and go back to where they were', async () => {
    const { service } = serve(() => ({
      status: 502,
      body: { success: false, code: 'camera_unreachable', error: 'No.' },
    }));
    const recording = useVideoRecording({ service });
    await expect(recording.open?.(1)).rejects.toMatchObject({ code: 'camera_unreachable' });
    expect(recording.getState()).toMatchObject({ phase: 'idle', error: { code: 'camera_unreachable' } });
  });

  it('keep the newest list when answers overtake each other', async () => {
    const waiting: ((value: object) => void)[] = [];
    const service = { listVideos: () => new Promise((done) => waiting.push(done)) };
    const list = useVideoList(1, { service });
    const both = [list.refresh?.(), list.refresh?.()];
    expect(list.getState().loading).toBe(true);
    waiting[1]?.({ videos: [{ session_id: 'new' }], count: 1, total_size_bytes: 5 });
    waiting[0]?.({ videos: [], count: 0, total_size_bytes: 0 });
    await Promise.all(both);
    expect(list.getState()).toMatchObject({ loading: false, count: 1, totalSizeBytes: 5 });
  });

  it('ask for health while somebody listens, with the same object until it changes', async () => {
    const { calls, service } = serve(() => ({ body: { success: true, status: 'healthy' } }));
    const health = useSystemHealth({ service, pollMs: 1000 });
    await vi.advanceTimersByTimeAsync(5000);
    expect(calls).toHaveLength(0);
    const leave = health.subscribe(() => undefined);
    await vi.advanceTimersByTimeAsync(2500);
    expect(calls).toHaveLength(3);
    expect(health.getState()).toBe(health.getState());
    expect(health.getState()).toMatchObject({ online: true, health: { status: 'healthy' } });
    leave();
    await vi.advanceTimersByTimeAsync(5000);
    expect(calls).toHaveLength(3);
  });
});

it('the module hands out the same client', async () => {
  const module = (await import('../public/static/js/vigie-client.mjs' as string)) as { default: unknown };
  expect(module.default).toBe((globalThis as unknown as { videoSystemService: unknown }).videoSystemService);
});
