// What the server says as it changes: understood, acted upon, and listened to again after a silence.
import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { apply, listen, parse } from '../src/api/events';
import { link } from '../src/api/link';

describe('a message', () => {
  it('is an event with data; anything else is let pass', () => {
    expect(parse('{"event":"session","data":{"session_id":"a"}}')).toEqual({
      event: 'session',
      data: { session_id: 'a' },
    });
    for (const text of ['', 'null', '[]', '{"event":1,"data":{}}', '{"event":"a"}', new ArrayBuffer(2)]) {
      expect(parse(text)).toBeNull();
    }
  });

  it('makes those ask again whom it concerns', () => {
    const client = new QueryClient();
    const asked = vi.spyOn(client, 'invalidateQueries').mockResolvedValue();
    const keysOf = (event: string, data = {}) => {
      asked.mockClear();
      apply(client, { event, data });
      return asked.mock.calls.map(([filter]) => filter?.queryKey?.join('/'));
    };
    expect(keysOf('session')).toEqual(['sessions', 'terrains']);
    expect(keysOf('recording')).toEqual(['sessions', 'videos', 'terrains']);
    expect(keysOf('marker', { session_id: 'a' })).toEqual(['markers/a', 'videos']);
    expect(keysOf('terrain')).toEqual(['terrains', 'cameras']);
    expect(keysOf('something newer')).toEqual([]);
  });
});

class FakeSocket {
  static all: FakeSocket[] = [];
  onopen?: () => void;
  onclose?: () => void;
  onmessage?: (message: { data: unknown }) => void;
  closed = false;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  close() {
    this.closed = true;
  }
}

describe('the socket', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('WebSocket', FakeSocket);
    FakeSocket.all = [];
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('comes back after it was lost, and then everything is asked for again', () => {
    const heard: string[] = [];
    const again = vi.fn();
    const end = listen(
      () => 'ws://here',
      (change) => heard.push(change.event),
      again,
    );
    const [first] = FakeSocket.all;
    first?.onopen?.();
    expect(link.get().events).toBe(true);
    first?.onmessage?.({ data: '{"event":"terrain","data":{}}' });
    expect(heard).toEqual(['terrain']);
    expect(again).not.toHaveBeenCalled();

    first?.onclose?.();
    expect(link.get().events).toBe(false);
    vi.advanceTimersByTime(600);
    expect(FakeSocket.all).toHaveLength(2);
    FakeSocket.all[1]?.onopen?.();
    expect(link.get().events).toBe(true);
    expect(again).toHaveBeenCalledOnce();
    end();
    expect(FakeSocket.all[1]?.closed).toBe(true);
  });

  it('waits longer each time while nobody answers, and stops when nobody listens', () => {
    const end = listen(
      () => 'ws://here',
      () => undefined,
      () => undefined,
    );
    for (let round = 0; round < 6; round += 1) {
      FakeSocket.all.at(-1)?.onclose?.();
      vi.advanceTimersByTime(8000);
    }
    expect(FakeSocket.all).toHaveLength(7);
    FakeSocket.all.at(-1)?.onclose?.();
    vi.advanceTimersByTime(5000);
    expect(FakeSocket.all).toHaveLength(7);
    end();
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(7);
  });
});
