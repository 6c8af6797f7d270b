import { tellReason } from '../../api/errors';
import type { Camera } from '../../api/model';
import { useUser } from '../../app/permissions';
import { type I18n, useI18n } from '../../i18n';
import type { CourtState } from './courtState';

/** What a court is doing, in words: the cause, where something is wrong. */
export function CourtWords({ state, camera }: { state: CourtState; camera?: Camera }) {
  const i18n = useI18n();
  const me = useUser();
  return (
    <p className="court-state">
      <span className={`dot ${DOTS[state.kind]}`} aria-hidden />
      <span>{wordsOf(i18n, state, me.id, camera)}</span>
    </p>
  );
}

const DOTS: Record<CourtState['kind'], string> = {
  free: 'dot-good',
  recording: 'dot-bad',
  reserved: 'dot-degraded',
  offline: 'dot-bad',
  no_camera: '',
  disabled: '',
};

export function wordsOf(i18n: I18n, state: CourtState, me: number, camera?: Camera): string {
  const { t } = i18n;
  switch (state.kind) {
    case 'free':
      return t('court.free');
    case 'recording':
      if (!state.session) return foreign(i18n, state.by, state.until);
      if (state.session.user_id === me) return t('court.recording_you');
      return state.session.username
        ? t('court.recording_by', { name: state.session.username })
        : t('court.recording_someone');
    case 'reserved':
      if (!state.session) return t('court.reserved_someone');
      return state.session.user_id === me || !state.session.username
        ? t('court.reserved_you')
        : t('court.reserved_by', { name: state.session.username });
    case 'offline': {
      const reason = camera?.streams.find((stream) => stream.error_code)?.error_code;
      return reason ? tellReason(i18n, reason).title : t('court.offline');
    }
    case 'no_camera':
      return t('court.no_camera.hint');
    case 'disabled':
      return t('court.disabled');
  }
}

/** Somebody else's recording: whose, and until when the court is taken, as far as the court tells. */
function foreign({ t, format }: I18n, by?: string | null, until?: string | null): string {
  if (!until) return by ? t('court.recording_by', { name: by }) : t('court.recording_someone');
  const time = format.time(until);
  return by ? t('court.recording_by_until', { name: by, time }) : t('court.recording_until', { time });
}
