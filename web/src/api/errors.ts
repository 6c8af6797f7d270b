// Failures in words: the cause first, then the one thing to do.
import type { I18n, Key } from '../i18n';
import { ApiError } from './client';

export interface Told {
  title: string;
  hint?: string;
}

const REASONS: Record<string, [Key, Key]> = {
  dns: ['cause.dns', 'cause.dns.hint'],
  tcp: ['cause.tcp', 'cause.tcp.hint'],
  auth: ['cause.auth', 'cause.auth.hint'],
  not_found: ['cause.not_found', 'cause.not_found.hint'],
  no_video: ['cause.no_video', 'cause.no_video.hint'],
  timeout: ['cause.timeout', 'cause.timeout.hint'],
  protocol: ['cause.protocol', 'cause.protocol.hint'],
  config: ['cause.config', 'cause.config.hint'],
};

const CODES: Record<string, [Key, Key | undefined]> = {
  offline: ['error.offline', 'error.offline.hint'],
  bad_answer: ['error.bad_answer', 'error.bad_answer.hint'],
  bad_credentials: ['error.bad_credentials', undefined],
  rate_limited: ['error.rate_limited', undefined],
  forbidden: ['error.forbidden', 'error.forbidden.hint'],
  camera_exists: ['error.camera_exists', undefined],
  duplicate_name: ['error.camera_exists', undefined],
  sign_in_busy: ['error.rate_limited', undefined],
  disk_full: ['error.disk_full', 'error.disk_full.hint'],
  max_concurrent_recordings: ['error.too_many_recordings', 'error.too_many_recordings.hint'],
  camera_unreachable: ['error.camera_unreachable', 'error.camera_unreachable.hint'],
  declared_in_file: ['error.declared', 'error.declared.hint'],
  weak_password: ['error.weak_password', undefined],
  codec_unsupported: ['error.codec', 'error.codec.hint'],
  camera_not_found: ['error.camera_gone', undefined],
  session_exists: ['error.session_exists', 'error.session_exists.hint'],
  no_camera: ['error.court_no_camera', 'error.court_no_camera.hint'],
  terrain_disabled: ['error.court_closed', undefined],
  encoder_unavailable: ['error.no_encoder', 'error.no_encoder.hint'],
  no_frame_yet: ['error.no_frame', 'error.no_frame.hint'],
  no_clip: ['error.no_clip', 'error.no_clip.hint'],
  not_owner: ['error.not_owner', undefined],
  recording_active: ['error.recording_active', 'error.recording_active.hint'],
  already_recording: ['error.already_recording', undefined],
  session_not_found: ['error.session_gone', undefined],
  video_not_found: ['error.video_gone', undefined],
  last_super_admin: ['error.last_super_admin', 'error.last_super_admin.hint'],
  own_account: ['error.own_account', 'error.own_account.hint'],
  duplicate_username: ['error.duplicate_username', undefined],
  user_not_found: ['error.user_gone', undefined],
  club_not_found: ['error.club_gone', undefined],
  terrain_not_found: ['error.court_gone', undefined],
  club_has_terrains: ['error.club_has_courts', 'error.club_has_courts.hint'],
  camera_in_other_club: ['error.other_camera_club', 'error.other_camera_club.hint'],
  session_active: ['error.court_in_use', 'error.court_in_use.hint'],
  other_club: ['error.other_club', undefined],
};

/** Why a camera cannot be reached, in words. */
export function tellReason({ t }: I18n, reason: string): Told {
  const pair = REASONS[reason];
  if (!pair) return { title: t('error.camera_unreachable'), hint: t('error.camera_unreachable.hint') };
  return { title: t(pair[0]), hint: t(pair[1]) };
}

/** A refusal by its code; `fallback` is the server's own sentence. */
export function tellCode({ t }: I18n, code: string, fallback?: string): Told {
  const pair = CODES[code];
  if (!pair) return { title: fallback || t('error.unknown') };
  return { title: t(pair[0]), hint: pair[1] ? t(pair[1]) : undefined };
}

export function tell(i18n: I18n, error: unknown): Told {
  if (!(error instanceof ApiError)) return { title: i18n.t('error.unknown') };
  const reason = error.details.reason;
  if (error.code === 'camera_unreachable' && typeof reason === 'string') return tellReason(i18n, reason);
  return tellCode(i18n, error.code, error.message);
}

/** The server's sentence about one field of what was sent; `details` holds them by field. */
export function tellField(error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const entry = error.details[field];
  return entry && typeof entry === 'object' && 'error' in entry && typeof entry.error === 'string'
    ? entry.error
    : undefined;
}
