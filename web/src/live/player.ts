// Plays one stream of the live socket in a <video> (MSE) or, where the browser or the codec cannot, as still pictures
// in an <img>. Owns the MediaSource and the playhead; knows nothing of React.
import { advise, ranges, TARGET } from './edge';
import { Kind, type LiveSocket, type StreamInit, type StreamState } from './socket';

export interface PlayerView {
  /** `video` while MSE plays, `picture` while stills arrive. */
  mode: 'video' | 'picture' | null;
  width: number;
  height: number;
  codec: string;
  /** A picture is on the screen. */
  showing: boolean;
  state: StreamState;
  /** A refusal that trying again does not cure. */
  failure: { code: string; message: string } | null;
}

export interface PlayerMeasure {
  /** Bits per second over the last seconds. */
  bitrate: number;
  /** Seconds between the newest picture that arrived and the one on the screen. */
  lag: number;
}

const START: PlayerView = {
  mode: null,
  width: 0,
  height: 0,
  codec: '',
  showing: false,
  state: { status: 'connecting' },
  failure: null,
};
/** Fragments waiting for the SourceBuffer; more means the browser cannot keep up and the stream is opened again. */
const QUEUE_LIMIT = 240;
const TICK_MS = 200;

declare global {
  var ManagedMediaSource: typeof MediaSource | undefined;
}

export class LivePlayer {
  view: PlayerView = START;
  private source: MediaSource | null = null;
  private buffer: SourceBuffer | null = null;
  private queue: Uint8Array<ArrayBuffer>[] = [];
  private pendingInit: StreamInit | null = null;
  private objectUrl = '';
  private pictureUrl = '';
  private close: (() => void) | null = null;
  private ticker: ReturnType<typeof setInterval> | undefined;
  private meter: { at: number; bytes: number }[] = [];

  constructor(
    private readonly socket: LiveSocket,
    private readonly camera: number,
    private readonly stream: string,
    private readonly video: HTMLVideoElement,
    private readonly image: HTMLImageElement,
    private readonly changed: (view: PlayerView) => void,
  ) {}

  start() {
    if (this.close) return;
    this.close = this.socket.open(this.camera, this.stream, {
      init: (init) => this.onInit(init),
      media: (kind, payload) => this.onMedia(kind, payload),
      state: (state) => this.update({ state, failure: null }),
      skipped: () => undefined,
      failed: (code, message) => this.update({ failure: { code, message } }),
    });
    this.ticker = setInterval(() => this.keepUp(), TICK_MS);
  }

  stop() {
    this.close?.();
    this.close = null;
    clearInterval(this.ticker);
    this.dropSource();
    if (this.pictureUrl) URL.revokeObjectURL(this.pictureUrl);
    this.pictureUrl = '';
    this.image.removeAttribute('src');
    this.update(START);
  }

  measure(): PlayerMeasure {
    const now = performance.now();
    this.meter = this.meter.filter((entry) => now - entry.at < 4000);
    const first = this.meter[0];
    const span = first ? Math.max(1, (now - first.at) / 1000) : 1;
    const bytes = this.meter.reduce((sum, entry) => sum + entry.bytes, 0);
    const buffered = this.video.buffered;
    const lag = buffered.length > 0 ? Math.max(0, buffered.end(buffered.length - 1) - this.video.currentTime) : 0;
    return { bitrate: (bytes * 8) / span, lag };
  }

  private update(part: Partial<PlayerView>) {
    this.view = { ...this.view, ...part };
    this.changed(this.view);
  }

  private onInit(init: StreamInit) {
    this.update({ width: init.width, height: init.height, codec: init.codec, failure: null });
    this.pendingInit = init;
  }

  private onMedia(kind: Kind, payload: Uint8Array<ArrayBuffer>) {
    this.meter.push({ at: performance.now(), bytes: payload.byteLength });
    if (kind === Kind.Picture) {
      this.showPicture(payload);
      return;
    }
    if (kind === Kind.Init) this.openSource(payload);
    else if (this.source) {
      this.queue.push(payload);
      if (this.queue.length > QUEUE_LIMIT) this.restart();
      else this.append();
    }
    if (this.view.state.status !== 'live') this.update({ state: { status: 'live' } });
  }

  private showPicture(payload: Uint8Array<ArrayBuffer>) {
    const url = URL.createObjectURL(new Blob([payload], { type: 'image/jpeg' }));
    const previous = this.pictureUrl;
    this.pictureUrl = url;
    this.image.onload = () => {
      if (previous) URL.revokeObjectURL(previous);
      if (this.view.width === 0) this.update({ width: this.image.naturalWidth, height: this.image.naturalHeight });
    };
    this.image.src = url;
    if (this.view.mode !== 'picture' || !this.view.showing || this.view.state.status !== 'live')
      this.update({ mode: 'picture', showing: true, state: { status: 'live' } });
  }

  private openSource(init: Uint8Array<ArrayBuffer>) {
    const mime = this.pendingInit?.mime ?? '';
    const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
    if (!Source?.isTypeSupported(mime)) {
      this.update({ failure: { code: 'codec_unsupported', message: mime } });
      return;
    }
    // New parameters on a running buffer: the same SourceBuffer takes another init segment when the type changes only
    // in its details; a new MediaSource is the way that every browser understands.
    this.dropSource();
    const source = new Source();
    this.source = source;
    this.queue = [init];
    this.objectUrl = URL.createObjectURL(source);
    this.video.disableRemotePlayback = true;
    source.addEventListener(
      'sourceopen',
      () => {
        if (this.source !== source) return;
        const buffer = source.addSourceBuffer(mime);
        this.buffer = buffer;
        buffer.addEventListener('updateend', () => this.append());
        buffer.addEventListener('error', () => this.restart());
        this.append();
      },
      { once: true },
    );
    this.video.src = this.objectUrl;
    this.update({ mode: 'video' });
  }

  private append() {
    const buffer = this.buffer;
    if (!buffer || buffer.updating || this.source?.readyState !== 'open') return;
    const next = this.queue.shift();
    if (!next) return;
    try {
      buffer.appendBuffer(next);
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'QuotaExceededError') {
        this.queue.unshift(next);
        const end = this.video.currentTime - 1;
        if (end > 0) buffer.remove(0, end);
        else this.restart();
      } else {
        this.restart();
      }
    }
  }

  /** Runs five times a second: playhead, buffer, autoplay. */
  private keepUp() {
    const { video, buffer } = this;
    if (this.view.mode !== 'video' || !buffer) return;
    if (video.error) {
      this.restart();
      return;
    }
    const { rate, seek, trimTo } = advise(video.currentTime, ranges(video.buffered), video.playbackRate);
    if (seek !== undefined && !video.seeking) video.currentTime = seek;
    if (video.playbackRate !== rate) video.playbackRate = rate;
    if (video.paused && video.buffered.length > 0) void video.play().catch(() => undefined);
    if (trimTo !== undefined && !buffer.updating) buffer.remove(0, trimTo);
    if (!this.view.showing && video.readyState >= 2) this.update({ showing: true });
  }

  /** Opens the stream again from the last key frame. */
  private restart() {
    if (!this.close) return;
    this.close();
    clearInterval(this.ticker);
    this.close = null;
    this.dropSource();
    this.start();
  }

  private dropSource() {
    this.queue = [];
    this.buffer = null;
    if (!this.source) return;
    this.source = null;
    URL.revokeObjectURL(this.objectUrl);
    this.video.removeAttribute('src');
    this.video.load();
    this.update({ showing: false });
  }
}

export { TARGET };
