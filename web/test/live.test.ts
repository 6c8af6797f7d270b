import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { advise, JUMP, TARGET } from '../src/live/edge';
import { Kind, parseFrame } from '../src/live/frames';
import { LiveSocket, retryDelay, type StreamState } from '../src/live/socket';

function message(id: number, kind: number, payload: number[]): ArrayBuffer {
  const bytes = new Uint8Array(5 + payload.length);
  new DataView(bytes.buffer).setUint32(0, id);
  bytes[4] = kind;
  bytes.set(payload, 5);
  return bytes.buffer;
}

describe('binary frames', () => {
  it('carry an id, a kind and a payload', () => {
    const frame = parseFrame(message(0x01020304, 1, [9, 8, 7]));
    expect(frame?.id).toBe(0x01020304);
    expect(frame?.kind).toBe(Kind.Fragment);
    expect([...(frame?.payload ?? [])]).toEqual([9, 8, 7]);
  });

  it('share the bytes of the message', () => {
    const whole = message(1, 0, [1, 2]);
    expect(parseFrame(whole)?.payload.buffer).toBe(whole);
  });

  it('may be empty but not cut', () => {
    expect(parseFrame(message(1, 2, []))?.payload.byteLength).toBe(0);
    expect(parseFrame(new ArrayBuffer(4))).toBeNull();
    expect(parseFrame(new ArrayBuffer(0))).toBeNull();
  });

  it('of an unknown kind are left alone', () => {
    expect(parseFrame(message(1, 3, [1]))).toBeNull();
  });
});

describe('the live edge', () => {
  const one = (start: number, end: number) => [{ start, end }];

  it('waits while nothing is buffered', () => {
    expect(advise(0, [])).toEqual({ rate: 1 });
  });

  it('jumps to the first pictures, wherever their clock stands', () => {
    expect(advise(0, one(8124, 8124.5)).seek).toBeCloseTo(8124.5 - TARGET);
    expect(advise(0, one(50, 50.04)).seek).toBe(50);
  });

  it('plays on when it is near', () => {
    expect(advise(9.8, one(0, 10))).toEqual({ rate: 1 });
  });

  it('hurries through a small lag and calms down at the target', () => {
    const start = advise(9.3, one(4, 10));
    expect(start.rate).toBeGreaterThan(1);
    expect(start.seek).toBeUndefined();
    expect(advise(9.7, one(4, 10), 1.06).rate).toBeGreaterThan(1);
    expect(advise(9.7, one(4, 10), 1).rate).toBe(1);
    expect(advise(9.76, one(4, 10), 1.06).rate).toBe(1);
  });

  it('never stays more than a second behind', () => {
    expect(advise(10 - JUMP - 0.01, one(0, 10)).seek).toBeCloseTo(10 - TARGET);
  });

  it('leaves a hole and a restarted clock behind', () => {
    const holes = [
      { start: 0, end: 4 },
      { start: 6, end: 6.2 },
    ];
    expect(advise(3.9, holes).seek).toBe(6);
    expect(advise(500, one(2, 3)).seek).toBeCloseTo(3 - TARGET);
  });

  it('forgets what was seen long ago', () => {
    expect(advise(30, one(0, 30.2)).trimTo).toBe(22);
    expect(advise(10, one(0, 10.2)).trimTo).toBeUndefined();
  });

  it('gets there from any lag within a few seconds of playing', () => {
    for (const lag of [0.3, 0.6, 0.99]) {
      let position = 100 - lag;
      let end = 100;
      let rate = 1;
      for (let tick = 0; tick < 60; tick += 1) {
        const advice = advise(position, one(50, end), rate);
        rate = advice.rate;
        position = (advice.seek ?? position) + rate * 0.2;
        end += 0.2;
      }
      expect(end - position).toBeLessThan(TARGET * 2);
      expect(end - position).toBeGreaterThan(0);
    }
  });
});

class FakeSocket {
  static OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  binaryType = '';
  sent: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
    this.onclose?.();
  }
  opened() {
    this.readyState = 1;
    this.onopen?.();
  }
}

function listener() {
  const seen: unknown[] = [];
  return {
    seen,
    handler: {
      init: (value: unknown) => seen.push(['init', value]),
      media: (kind: number, payload: Uint8Array) => seen.push(['media', kind, [...payload]]),
      state: (value: StreamState) => seen.push(['state', value.status]),
      skipped: (count: number) => seen.push(['skipped', count]),
      failed: (code: string) => seen.push(['failed', code]),
    },
  };
}

describe('the live socket', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.all = [];
    vi.stubGlobal('WebSocket', FakeSocket);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is one for all tiles, and tells each its own', () => {
    const live = new LiveSocket(() => 'ws://x');
    const [a, b] = [listener(), listener()];
    live.open(1, 'main', a.handler);
    live.open(2, 'sub', b.handler);
    expect(FakeSocket.all).toHaveLength(1);
    const socket = FakeSocket.all[0] as FakeSocket;
    socket.opened();
    expect(socket.sent.map((entry) => entry.type)).toEqual(['hello', 'open', 'open']);
    expect(socket.sent[2]).toMatchObject({ camera: 2, stream: 'sub' });
    const id = Number(socket.sent[2]?.id);
    socket.onmessage?.({ data: JSON.stringify({ type: 'init', id, mime: 'm', width: 4, height: 3, codec: 'h264' }) });
    socket.onmessage?.({ data: message(id, 1, [5]) });
    socket.onmessage?.({ data: JSON.stringify({ type: 'skipped', id, count: 3 }) });
    expect(a.seen).toEqual([]);
    expect(b.seen).toEqual([
      ['init', { mime: 'm', width: 4, height: 3, codec: 'h264' }],
      ['media', 1, [5]],
      ['skipped', 3],
    ]);
  });

  it('comes back and opens again what was open', () => {
    const live = new LiveSocket(() => 'ws://x');
    const [a, b] = [listener(), listener()];
    live.open(1, 'main', a.handler);
    const closeB = live.open(2, 'main', b.handler);
    FakeSocket.all[0]?.opened();
    closeB();
    FakeSocket.all[0]?.close();
    expect(a.seen).toEqual([['state', 'disconnected']]);
    vi.advanceTimersByTime(600);
    expect(FakeSocket.all).toHaveLength(2);
    FakeSocket.all[1]?.opened();
    expect(FakeSocket.all[1]?.sent.filter((entry) => entry.type === 'open')).toEqual([
      { type: 'open', id: 1, camera: 1, stream: 'main' },
    ]);
  });

  it('goes away when nobody looks any more', () => {
    const live = new LiveSocket(() => 'ws://x');
    const close = live.open(1, 'main', listener().handler);
    FakeSocket.all[0]?.opened();
    close();
    vi.advanceTimersByTime(2100);
    expect(FakeSocket.all[0]?.readyState).toBe(3);
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('survives nonsense', () => {
    const live = new LiveSocket(() => 'ws://x');
    const a = listener();
    live.open(1, 'main', a.handler);
    const socket = FakeSocket.all[0] as FakeSocket;
    socket.opened();
    for (const data of ['{', '[]', '{"type":"init","id":99}', new ArrayBuffer(2), message(77, 1, [1])])
      socket.onmessage?.({ data });
    expect(a.seen).toEqual([]);
  });

  it('waits longer after each failure, up to eight seconds', () => {
    expect(retryDelay(0, 1)).toBe(500);
    expect(retryDelay(3, 1)).toBe(4000);
    expect(retryDelay(20, 1)).toBe(8000);
    expect(retryDelay(20, 0)).toBe(6000);
  });
});
