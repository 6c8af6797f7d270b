// One WebSocket for every live picture of the page. **Whoever subscribes never sees a disconnection**: the socket comes
// back by itself and opens again what was open.
import { Kind, parseFrame } from './frames';

export interface StreamInit {
  mime: string;
  width: number;
  height: number;
  codec: string;
}

export type StreamStatus =
  | 'connecting'
  | 'live'
  | 'silent'
  | 'waiting'
  | 'suspended'
  | 'disabled'
  | 'idle'
  | 'disconnected';

export interface StreamState {
  status: StreamStatus;
  message?: string;
  /** When the next attempt starts, by `performance.now()`. */
  retryAt?: number;
}

export interface LiveHandler {
  init: (init: StreamInit) => void;
  media: (kind: Kind, payload: Uint8Array<ArrayBuffer>) => void;
  state: (state: StreamState) => void;
  skipped: (count: number) => void;
  failed: (code: string, message: string) => void;
}

interface Subscription {
  camera: number;
  stream: string;
  handler: LiveHandler;
}

const MSE_TYPES: Record<string, string> = {
  avc1: 'video/mp4; codecs="avc1.64002a"',
  hvc1: 'video/mp4; codecs="hvc1.1.6.L120.90"',
  opus: 'video/mp4; codecs="opus"',
  mp4a: 'video/mp4; codecs="mp4a.40.2"',
};

/** The four-character codes this browser can play from a MediaSource. */
export function playableCodecs(): string[] {
  const source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
  if (!source) return [];
  return Object.entries(MSE_TYPES)
    .filter(([, type]) => source.isTypeSupported(type))
    .map(([code]) => code);
}

/** Milliseconds before attempt `n` (from 0): half a second doubling to eight, a quarter of it random. */
export function retryDelay(attempt: number, random = Math.random()): number {
  return Math.min(8000, 500 * 2 ** attempt) * (0.75 + random * 0.25);
}

export class LiveSocket {
  private socket: WebSocket | null = null;
  private subscriptions = new Map<number, Subscription>();
  private nextId = 1;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Bytes received since the page was loaded. */
  received = 0;

  constructor(private readonly url: () => string) {
    globalThis.addEventListener?.('online', () => this.hurry());
  }

  /** Opens a stream; the returned function closes it. */
  open(camera: number, stream: string, handler: LiveHandler): () => void {
    const id = this.nextId++;
    this.subscriptions.set(id, { camera, stream, handler });
    if (this.socket?.readyState === WebSocket.OPEN) this.sendOpen(id);
    else this.connect();
    return () => {
      this.subscriptions.delete(id);
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: 'close', id }));
      if (this.subscriptions.size === 0) this.disconnectSoon();
    };
  }

  private disconnectSoon() {
    setTimeout(() => {
      if (this.subscriptions.size > 0) return;
      clearTimeout(this.timer);
      this.timer = undefined;
      this.socket?.close();
      this.socket = null;
    }, 2000);
  }

  private hurry() {
    if (this.socket || this.subscriptions.size === 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.connect();
  }

  private connect() {
    if (this.socket || this.timer) return;
    const socket = new WebSocket(this.url());
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onopen = () => {
      this.attempt = 0;
      socket.send(JSON.stringify({ type: 'hello', mse: playableCodecs() }));
      for (const id of this.subscriptions.keys()) this.sendOpen(id);
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => {
      if (typeof event.data === 'string') this.onText(event.data);
      else this.onBinary(event.data);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (this.subscriptions.size === 0) return;
      const delay = retryDelay(this.attempt++);
      const retryAt = performance.now() + delay;
      for (const { handler } of this.subscriptions.values()) handler.state({ status: 'disconnected', retryAt });
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.connect();
      }, delay);
    };
  }

  private sendOpen(id: number) {
    const subscription = this.subscriptions.get(id);
    if (!subscription) return;
    const { camera, stream } = subscription;
    this.socket?.send(JSON.stringify({ type: 'open', id, camera, stream }));
  }

  private onBinary(data: ArrayBuffer) {
    this.received += data.byteLength;
    const frame = parseFrame(data);
    if (frame) this.subscriptions.get(frame.id)?.handler.media(frame.kind, frame.payload);
  }

  private onText(text: string) {
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(text) as Record<string, unknown>;
    } catch {
      return;
    }
    const handler = this.subscriptions.get(Number(message.id))?.handler;
    if (!handler) return;
    switch (message.type) {
      case 'init':
        handler.init({
          mime: String(message.mime ?? ''),
          width: Number(message.width ?? 0),
          height: Number(message.height ?? 0),
          codec: String(message.codec ?? ''),
        });
        break;
      case 'state':
        handler.state({
          status: String(message.state) as StreamStatus,
          message: typeof message.message === 'string' ? message.message : undefined,
          retryAt:
            typeof message.retry_in_ms === 'number' ? performance.now() + Number(message.retry_in_ms) : undefined,
        });
        break;
      case 'skipped':
        handler.skipped(Number(message.count ?? 0));
        break;
      case 'error':
        handler.failed(String(message.code ?? 'error'), String(message.error ?? ''));
        break;
    }
  }
}

let shared: LiveSocket | undefined;

/** The page's socket. */
export function liveSocket(): LiveSocket {
  shared ??= new LiveSocket(() => `${location.origin.replace(/^http/, 'ws')}/api/live/ws`);
  return shared;
}

export { Kind };
