// The words for what the audit log records. Its own words are stable codes; a code that is not here yet is shown as it is.
import type { AuditEntry } from '../../api/model';
import type { Key } from '../../i18n';

export const ACTION_NAMES: Record<string, Key> = {
  setup: 'audit.setup',
  login: 'audit.login',
  'login.refused': 'audit.login_refused',
  logout: 'audit.logout',
  logout_everywhere: 'audit.logout_everywhere',
  password: 'audit.password',
  stream_password: 'audit.stream_password',
  'user.create': 'audit.user_create',
  'user.update': 'audit.user_update',
  'user.password': 'audit.user_password',
  'user.delete': 'audit.user_delete',
  'club.create': 'audit.club_create',
  'club.update': 'audit.club_update',
  'club.delete': 'audit.club_delete',
  'terrain.create': 'audit.terrain_create',
  'terrain.update': 'audit.terrain_update',
  'terrain.delete': 'audit.terrain_delete',
  'kiosk.create': 'audit.kiosk_create',
  'kiosk.delete': 'audit.kiosk_delete',
  'kiosk.login': 'audit.kiosk_login',
  'token.create': 'audit.token_create',
  'token.delete': 'audit.token_delete',
  'camera.create': 'audit.camera_create',
  'camera.update': 'audit.camera_update',
  'camera.delete': 'audit.camera_delete',
  'camera.reveal': 'audit.camera_reveal',
  'camera.reconnect': 'audit.camera_reconnect',
  'session.create': 'audit.session_create',
  'session.close': 'audit.session_close',
  'recording.start': 'audit.recording_start',
  'recording.stop': 'audit.recording_stop',
  'recording.delete': 'audit.recording_delete',
  'recording.lock': 'audit.recording_lock',
  'recording.unlock': 'audit.recording_unlock',
  cleanup: 'audit.cleanup',
  'marker.create': 'audit.marker_create',
  'marker.delete': 'audit.marker_delete',
};

export const TARGET_NAMES: Record<string, Key> = {
  user: 'audit.target.user',
  club: 'audit.target.club',
  terrain: 'audit.target.terrain',
  token: 'audit.target.token',
  pass: 'audit.target.pass',
  camera: 'audit.target.camera',
  session: 'audit.target.session',
  recording: 'audit.target.recording',
  marker: 'audit.target.marker',
  videos: 'audit.target.videos',
};

/** `camera/3` in its two parts; the second is empty where there is none. */
export function splitTarget(target: string): [kind: string, id: string] {
  const at = target.indexOf('/');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

/** Who appears in these entries, in order, each once. */
export function actorsOf(entries: AuditEntry[], known: string[]): string[] {
  return [...new Set([...known, ...entries.map((entry) => entry.actor)])]
    .filter((actor) => actor !== '')
    .sort((a, b) => a.localeCompare(b));
}
