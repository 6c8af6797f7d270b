import type { Diagnosis } from '../../api/model';
import { useI18n } from '../../i18n';
import { codecName } from '../cameras/facts';

const DOTS: Record<string, string> = {
  live: 'dot-good',
  connecting: 'dot-busy',
  silent: 'dot-degraded',
  waiting: 'dot-bad',
  suspended: 'dot-bad',
};

/** Every stream of every camera, as it is observed now. */
export function Streams({ streams }: { streams: Diagnosis['streams'] }) {
  const { t, format } = useI18n();
  return (
    <section className="card settings-card">
      <h2>{t('diagnose.streams')}</h2>
      {streams.length === 0 && <p className="small muted">{t('diagnose.streams.none')}</p>}
      <ul className="streams">
        {streams.map((stream) => (
          <li key={`${stream.camera_id} ${stream.stream}`}>
            <span className={`dot ${DOTS[stream.state] ?? ''}`} aria-hidden />
            <span className="streams-name">
              <strong>{stream.camera_name}</strong> <span className="muted">{stream.stream}</span>
            </span>
            <span className="small muted">
              {[
                stream.state,
                stream.codec && codecName(stream.codec),
                stream.width && `${stream.width} × ${stream.height}`,
                stream.bitrate_kbps > 0 && format.bitrate(stream.bitrate_kbps * 1000),
                stream.error,
              ]
                .filter(Boolean)
                .join(' · ')}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
