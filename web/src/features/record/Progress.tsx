import { useI18n } from '../../i18n';

interface Props {
  /** Whole percents, as the server counts them. */
  percent: number;
  /** Seconds. */
  elapsed: number;
  planned: number;
}

/** How far a recording is, and how long it goes on. */
export function Progress({ percent, elapsed, planned }: Props) {
  const { t, format } = useI18n();
  return (
    <div className="progress-box">
      <div
        className="progress"
        role="progressbar"
        aria-label={t('record.progress')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
      >
        <span style={{ width: `${percent}%` }} />
      </div>
      <p className="progress-words small muted">
        <span>{format.clock(elapsed)}</span>
        {planned > 0 && <span>{t('record.left', { time: format.clock(Math.max(0, planned - elapsed)) })}</span>}
      </p>
    </div>
  );
}
