// The shapes that screens use.

export type Role = 'SUPER_ADMIN' | 'CLUB_ADMIN' | 'PLAYER';

export interface User {
  id: number;
  username: string;
  role: Role;
  club_id: number | null;
}

export type StreamName = 'main' | 'sub';

export interface StreamInfo {
  stream: StreamName;
  state: 'idle' | 'connecting' | 'live' | 'silent' | 'waiting' | 'suspended' | 'disabled';
  /** `dns`, `tcp`, `auth`, … */
  error_code: string | null;
  error: string | null;
  retry_in_ms: number | null;
  codec: string | null;
  audio_codec: string | null;
  width: number | null;
  height: number | null;
  fps: number;
  bitrate_kbps: number;
  last_frame_age_ms: number | null;
  viewers: number;
  recorders: number;
  skipped: number;
}

export type Health = 'excellent' | 'good' | 'fair' | 'poor' | 'offline' | 'unknown';

export interface Camera {
  id: number;
  slug: string;
  name: string;
  manufacturer: string | null;
  model: string | null;
  connection_type: string;
  primary_stream_url: string | null;
  secondary_stream_url: string | null;
  connection_config: { transport?: string } | null;
  connection_health: Health;
  last_error_message: string | null;
  uptime_percentage: number | null;
  username: string | null;
  has_password: boolean;
  enabled: boolean;
  always_on: boolean;
  declared: boolean;
  created_at: string;
  streams: StreamInfo[];
}

export interface CameraInput {
  name?: string;
  url?: string;
  sub_url?: string;
  username?: string;
  password?: string;
  transport?: string;
  always_on?: boolean;
  enabled?: boolean;
}

export interface TestResult {
  success: boolean;
  connection_type: string;
  response_time_ms: number | null;
  /** `1920x1080`. */
  resolution: string | null;
  fps: number | null;
  codec: string | null;
  audio_codec: string | null;
  error: string | null;
  error_code: string | null;
}

export interface Session {
  session_id: string;
  camera_id: number | null;
  state: string;
  created_at: string;
  recording_active: boolean;
  elapsed_seconds: number;
}

export interface RecordingStatus {
  session_id: string;
  active: boolean;
  elapsed_seconds: number;
  duration_seconds: number;
  progress_percent: number;
  state: string;
  size_bytes: number;
  source_connected: boolean;
  gaps: number;
  bitrate_kbps: number;
  error: string | null;
}

export interface Gap {
  from: string;
  /** Missing while it lasts. */
  to: string | null;
  /** Where in the file, in seconds. */
  at_seconds: number;
  cause: string;
}

export interface Video {
  session_id: string;
  recording_id: number;
  filename: string;
  club_id: number;
  camera_id: number | null;
  camera_name: string;
  size_bytes: number;
  duration_seconds: number;
  created_at: string;
  state: 'open' | 'sealed' | 'failed';
  interrupted: boolean;
  locked: boolean;
  gaps: Gap[];
  codec: string | null;
  audio_codec: string | null;
  width: number | null;
  height: number | null;
  download_url: string;
}

export interface CameraEvent {
  id: number;
  at: string;
  kind: string;
  camera_id: number | null;
  message: string;
}

export interface ApiToken {
  id: number;
  name: string;
  role: Role;
  read_only: boolean;
  created_at: string;
  expires_at: string | null;
}

export interface ServerHealth {
  status: string;
  version?: string;
  uptime_seconds?: number;
}

export interface StreamUrls {
  stream: StreamName;
  rtsp: string | null;
  mjpeg: string;
  snapshot: string;
}

export interface VideoHealth {
  disk: { total: number; available: number };
  videos: { count: number; total_size_bytes: number };
  active_recordings: number;
  max_concurrent_recordings: number;
}
