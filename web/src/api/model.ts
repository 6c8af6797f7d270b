// The shapes that screens use: those of the API's own description (schema.d.ts), with words narrowed to the ones that
// the contract lists.
import type { components } from './schema';

type Schemas = components['schemas'];
type Narrow<Shape, Words> = Omit<Shape, keyof Words> & Words;

export type Role = 'SUPER_ADMIN' | 'CLUB_ADMIN' | 'PLAYER';
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

/** What the interface needs of a session; it also makes some up, until the server's list follows. */
export type Session = Pick<
  Schemas['SessionView'],
  'session_id' | 'camera_id' | 'state' | 'created_at' | 'recording_active' | 'elapsed_seconds'
>;
export type RecordingStatus = Schemas['RecordingStatus'];
export type StoppedRecording = Schemas['StoppedView'];

export type Gap = Schemas['GapView'];
export type Video = Narrow<Schemas['VideoView'], { state: 'open' | 'sealed' | 'failed' }>;
export type VideoHealth = Schemas['VideoHealth'];
export type ServerHealth = Schemas['Health'];
