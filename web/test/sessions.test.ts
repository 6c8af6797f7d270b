// Sessions are closed by the page that opened them, whatever ends their recordings.
import { afterEach, expect, it, vi } from 'vitest';
import type { Session } from '../src/api/model';
import { closeFinished, startRecording, stopRecording } from '../src/api/sessions';

/** A server that gives that session; `refuse` names paths and the status they are refused with. */
function serve(session: string, refuse: Record<string, number> = {}) {
  const calls: string[] = [];
  vi.stubGlobal('fetch', async (path: string) => {
    const name = path.replace('/api/video/', '');
    calls.push(name);
    const status = refuse[name] ?? 200;
    const body = status === 200 ? { success: true, session: { session_id: session } } : { success: false, code: 'no' };
    return new Response(JSON.stringify(body), { status });
  });
  return calls;
}
const listed = (id: string, active: boolean): Session => ({
  session_id: id,
  camera_id: 1,
  state: active ? 'RECORDING' : 'READY',
  created_at: '2026-11-21T10:00:00Z',
  recording_active: active,
  elapsed_seconds: 0,
});

afterEach(() => vi.unstubAllGlobals());

it('a recording that ended by itself has its session closed, once', async () => {
  const calls = serve('a');
  expect(await startRecording({ camera_id: 1 }, 60, [])).toBe('a');
  await closeFinished([listed('a', true)]);
  expect(calls).toEqual(['session/create', 'record/start']);
  await closeFinished([listed('a', false)]);
  await closeFinished([listed('a', false)]);
  expect(calls.slice(2)).toEqual(['session/close']);
});

it('a session of somebody else stays open', async () => {
  const calls = serve('b');
  await startRecording({ camera_id: 1 }, 60, [listed('b', false)]);
  await closeFinished([listed('b', false), listed('never seen', false)]);
  expect(calls).toEqual(['session/create', 'record/start']);
});

it('a session that still records, or a server that is away, is asked again', async () => {
  serve('c');
  await startRecording({ camera_id: 1 }, 60, []);
  for (const status of [409, 503]) {
    const refused = serve('c', { 'session/close': status });
    await closeFinished([listed('c', false)]);
    expect(refused).toEqual(['session/close']);
  }
  const calls = serve('c');
  await closeFinished([listed('c', false)]);
  expect(calls).toEqual(['session/close']);
});

it('a recording that does not start leaves no session behind', async () => {
  const calls = serve('d', { 'record/start': 507 });
  await expect(startRecording({ camera_id: 1 }, 60, [])).rejects.toMatchObject({ status: 507 });
  expect(calls).toEqual(['session/create', 'record/start', 'session/close']);
});

it('a click on stop closes, and nobody closes again', async () => {
  serve('e');
  await startRecording({ camera_id: 1 }, 60, []);
  const calls = serve('e');
  await stopRecording('e');
  await closeFinished([listed('e', false)]);
  expect(calls).toEqual(['record/stop', 'session/close']);
});
