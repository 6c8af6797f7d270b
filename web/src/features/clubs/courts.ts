// What can be said of courts and cameras without asking anybody. Pure.
import type { Camera, Terrain } from '../../api/model';
import type { Key } from '../../i18n';

export type CourtStatus = Terrain['status'];

export const STATUS_NAMES: Record<CourtStatus, Key> = {
  ready: 'clubs.court.ready',
  recording: 'clubs.court.recording',
  reserved: 'clubs.court.reserved',
  no_camera: 'clubs.court.no_camera',
  camera_offline: 'clubs.court.camera_offline',
  disabled: 'clubs.court.disabled',
};

/** The class of the badge: red only for what is being recorded, amber for what needs somebody. */
export const STATUS_TONES: Record<CourtStatus, string> = {
  ready: '',
  recording: 'badge-red',
  reserved: '',
  no_camera: 'badge-amber',
  camera_offline: 'badge-amber',
  disabled: '',
};

/** The cameras that a court of this club may look through: the club's own and those of nobody yet. */
export function camerasFor(cameras: Camera[], clubId: number): Camera[] {
  return cameras.filter((camera) => camera.club_id == null || camera.club_id === clubId);
}

/** The other courts that look through this camera. */
export function sharedBy(terrains: Terrain[], cameraId: number, except: number | undefined): Terrain[] {
  return terrains.filter((terrain) => terrain.camera_id === cameraId && terrain.id !== except);
}
