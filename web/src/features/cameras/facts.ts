// Names that people use for what cameras send.

const CODECS: Record<string, string> = {
  h264: 'H.264',
  h265: 'H.265',
  hevc: 'H.265',
  mjpeg: 'MJPEG',
  jpeg: 'MJPEG',
  aac: 'AAC',
  opus: 'Opus',
  pcma: 'G.711 A',
  pcmu: 'G.711 µ',
  g711a: 'G.711 A',
  g711u: 'G.711 µ',
};

export function codecName(codec: string): string {
  return CODECS[codec.toLowerCase()] ?? codec.toUpperCase();
}

const KINDS: Record<string, string> = {
  rtsp: 'RTSP',
  http_mjpeg: 'MJPEG',
  https: 'MJPEG (HTTPS)',
  onvif: 'ONVIF',
  hls: 'HLS',
  rtmp: 'RTMP',
  webrtc: 'WebRTC',
};

/** A technical name that is the same in every language, or `null` when it needs a word. */
export function kindName(kind: string): string | null {
  return KINDS[kind] ?? null;
}
