import type { Session } from '../../api/model';
import { useI18n } from '../../i18n';
import { useElapsed } from './useRecord';
import './record.css';

/** The red mark on a picture that is being recorded; a button where it leads somewhere. */
export function RecPill({ session, onClick }: { session: Session; onClick?: () => void }) {
  const { t, format } = useI18n();
  const elapsed = useElapsed(session);
  const inside = (
    <>
      <span className="rec-dot" aria-hidden />
      <span className="sr-only">{t('record.recording')}</span>
      {format.clock(elapsed)}
    </>
  );
  return onClick ? (
    <button type="button" className="rec" onClick={onClick} title={t('record.recording')}>
      {inside}
    </button>
  ) : (
    <span className="rec">{inside}</span>
  );
}
