// The shapes that screens use: those of the API's own description (schema.d.ts), with words narrowed to the ones that
// the contract lists.
import type { components } from './schema';

type Schemas = components['schemas'];
type Narrow<Shape, Words> = Omit<Shape, keyof Words> & Words;

export type Role = 'SUPER_ADMIN' | 'CLUB_ADMIN' | 'PLAYER';
export type User = Narrow<Schemas['UserView'], { role: Role }> & {
  club_name?: string | null;
  /** The court of a kiosk pass; such a sign-in may touch nothing else. */
  terrain_id?: number | null;
};
export type ApiToken = Narrow<Schemas['TokenView'], { role: Role }>;

export type StreamName = 'main' | 'sub';
export type StreamInfo = Narrow<
  Schemas['StreamView'],
  {
    stream: StreamName;
    state: 'idle' | 'connecting' | 'live' | 'silent' | 'waiting' | 'suspended' | 'disabled';
  }
>;
export type StreamUrls = Narrow<Schemas['StreamUrls'], { stream: StreamName }>;

export type Camera = Narrow<
  Schemas['CameraView'],
  {
    connection_health: 'excellent' | 'good' | 'fair' | 'poor' | 'offline' | 'unknown';
    connection_config: { transport?: string } | null;
    streams: StreamInfo[];
  }
>;
export type CameraInput = Partial<Schemas['CameraInput']>;
export type CameraEvent = Schemas['EventView'];
export type TestResult = Schemas['TestView'];

type SessionView = Schemas['SessionView'];
/** What the interface needs of a session; it also makes some up, until the server's list follows. */
export type Session = Pick<
  SessionView,
  'session_id' | 'camera_id' | 'state' | 'created_at' | 'recording_active' | 'elapsed_seconds'
> &
  Partial<SessionView>;
/** What a session is opened for: a court, or a camera without one. */
export type Target = { terrain_id: number } | { camera_id: number };
export type RecordingStatus = Schemas['RecordingStatus'];
export type StoppedRecording = Schemas['StoppedView'];

export type Gap = Schemas['GapView'];
export type Video = Narrow<Schemas['VideoView'], { state: 'open' | 'sealed' | 'failed'; kind: 'session' | 'clip' }>;
export type VideoHealth = Schemas['VideoHealth'];
export type ServerHealth = Schemas['Health'];

/** A club. Its courts and people belong to it. */
export interface Club {
  id: number;
  name: string;
  /** IANA name. */
  timezone: string;
  created_at: string;
  terrain_count: number;
  user_count: number;
}
export interface ClubInput {
  name: string;
  timezone?: string;
}

/** A court, which the API calls terrain. */
export interface Terrain {
  id: number;
  club_id: number;
  club_name: string;
  name: string;
  camera_id: number | null;
  camera_name: string | null;
  enabled: boolean;
  created_at: string;
  status: 'ready' | 'recording' | 'reserved' | 'no_camera' | 'camera_offline' | 'disabled';
  /** Only when the caller may see that session. */
  session_id: string | null;
  live: boolean;
}
export interface TerrainInput {
  name: string;
  camera_id: number | null;
  enabled: boolean;
}

/** An account as administrators see it. */
export interface Account {
  id: number;
  username: string;
  role: Role;
  club_id: number | null;
  club_name: string | null;
  enabled: boolean;
  created_at: string;
  last_login_at: string | null;
}
export interface AccountInput {
  username: string;
  role: Role;
  club_id: number | null;
  enabled: boolean;
  /** Left out, the server makes one up and answers it this once. */
  password: string;
}

/** Lets one tablet use one court. */
export interface KioskPass {
  id: number;
  terrain_id: number;
  name: string;
  created_at: string;
  expires_at: string;
  last_used_at: string | null;
}
export interface NewKioskPass {
  pass: KioskPass;
  url: string;
  /** An SVG document; shown as a picture, never put into the page as markup. */
  qr_svg: string;
}

export interface AuditEntry {
  id: number;
  at: string;
  user_id: number | null;
  actor: string;
  action: string;
  target: string;
  address: string | null;
  details: unknown;
}

export type RecordMode = 'auto' | 'copy' | 'encode';
export type Estimate = Narrow<Schemas['EstimateView'], { mode: 'copy' | 'encode' }>;
export type PreviewInfo = Schemas['PreviewInfo'];
export type Marker = Schemas['MarkerView'];
export type Clip = Schemas['ClipView'];
export type Cleaned = Schemas['Cleaned'];

/** What the server says of itself, without secrets; its log for administrators of everything only. */
export type Diagnosis = Narrow<Schemas['Diagnosis'], { status: 'healthy' | 'degraded' | 'unhealthy' }>;
