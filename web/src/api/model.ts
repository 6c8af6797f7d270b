// The shapes that screens use: those of the API's own description (schema.d.ts), with words narrowed to the ones that
// the contract lists.
import type { components } from './schema';

type Schemas = components['schemas'];
type Narrow<Shape, Words> = Omit<Shape, keyof Words> & Words;
/** Of shapes that the server always sends whole: null stands where there is nothing, no field is left out. */
type Whole<Shape> = { [Field in keyof Shape]-?: Shape[Field] };

export type Role = 'SUPER_ADMIN' | 'CLUB_ADMIN' | 'PLAYER';
/** Its `terrain_id` is the court of a kiosk pass; such a sign-in may touch nothing else. */
export type User = Narrow<Schemas['UserView'], { role: Role }>;
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
export type Club = Schemas['ClubView'];
export interface ClubInput {
  name: string;
  timezone?: string;
}

/** A court, which the API calls terrain. */
export type Terrain = Narrow<
  Whole<Schemas['TerrainView']>,
  { status: 'ready' | 'recording' | 'reserved' | 'no_camera' | 'camera_offline' | 'disabled' }
>;
export interface TerrainInput {
  name: string;
  camera_id: number | null;
  enabled: boolean;
}

/** An account as administrators see it. */
export type Account = Narrow<Whole<Schemas['AccountView']>, { role: Role }>;
export interface AccountInput {
  username: string;
  role: Role;
  club_id: number | null;
  enabled: boolean;
  /** Left out, the server makes one up and answers it this once. */
  password: string;
}

/** Lets one tablet use one court. */
export type KioskPass = Narrow<Whole<Schemas['PassView']>, { expires_at: string }>;
/** Its `qr_svg` is shown as a picture, never put into the page as markup. */
export type NewKioskPass = Omit<Schemas['PassReply'], 'success' | 'pass'> & { pass: KioskPass };

export type AuditEntry = Whole<Schemas['AuditView']>;

export type RecordMode = 'auto' | 'copy' | 'encode';
export type Estimate = Narrow<Schemas['EstimateView'], { mode: 'copy' | 'encode' }>;
export type PreviewInfo = Schemas['PreviewInfo'];
export type Marker = Schemas['MarkerView'];
export type Clip = Schemas['ClipView'];
export type Cleaned = Schemas['Cleaned'];

/** What the server says of itself, without secrets; its log for administrators of everything only. */
export type Diagnosis = Narrow<Schemas['Diagnosis'], { status: 'healthy' | 'degraded' | 'unhealthy' }>;
