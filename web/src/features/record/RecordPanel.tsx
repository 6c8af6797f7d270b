// One big button, how long, and how it is going.
import { CircleAlert } from 'lucide-react';
import type { Camera, Session } from '../../api/model';
import { useRecordingOf, useRecordingStatus, useVideoHealth } from '../../api/queries';
import { useI18n } from '../../i18n';
import { useStore } from '../../lib/store';
import { Button, Notice } from '../../ui';
import { LengthPicker } from './LengthPicker';
import { chosenMinutes, useElapsed, useStart, useStop } from './useRecord';
import './record.css';

export function RecordPanel({ camera, onStopped }: { camera: Camera; onStopped?: () => void }) {
  const session = useRecordingOf(camera.id);
  return session ? <Running camera={camera} session={session} onStopped={onStopped} /> : <Ready camera={camera} />;
}

function Ready({ camera }: { camera: Camera }) {
  const { t, format } = useI18n();
  const minutes = useStore(chosenMinutes);
  const start = useStart(camera);
  const health = useVideoHealth();
  const bitrate = (camera.streams[0]?.bitrate_kbps ?? 0) * 1000;
  const estimate = (bitrate * minutes * 60) / 8;
  const free = health.data?.disk?.available;
  return (
    <div className="record">
      <LengthPicker />
      <p className="small muted">
        {bitrate > 0
          ? t('record.estimate', { size: format.bytes(estimate), rate: format.bitrate(bitrate) })
          : t('record.estimate.unknown')}{' '}
        {free !== undefined && t('record.free', { size: format.bytes(free) })}
      </p>
      {free !== undefined && estimate > free && (
        <Notice tone="warn" title={t('record.too_long')}>
          {t('record.too_long.hint')}
        </Notice>
      )}
      <button type="button" className="record-button" disabled={start.busy} onClick={() => start.run(minutes)}>
        {start.busy ? <span className="spinner" aria-hidden /> : <span className="record-dot" aria-hidden />}
        {t('record.start')}
      </button>
    </div>
  );
}

function Running({ camera, session, onStopped }: { camera: Camera; session: Session; onStopped?: () => void }) {
  const { t, n, format } = useI18n();
  const status = useRecordingStatus(session.session_id).data;
  const elapsed = useElapsed(session);
  const stop = useStop(camera, onStopped);
  const planned = status?.duration_seconds ?? 0;
  const left = Math.max(0, planned - elapsed);
  return (
    <div className="record record-running">
      <div className="record-now">
        <Ring ratio={planned > 0 ? Math.min(1, elapsed / planned) : 0} />
        <div>
          <p className="record-clock" role="timer">
            {format.clock(elapsed)}
          </p>
          <p className="small muted">{planned > 0 && t('record.left', { time: format.clock(left) })}</p>
        </div>
        <dl className="record-facts">
          <div>
            <dt>{t('fact.size')}</dt>
            <dd>{status ? format.bytes(status.size_bytes) : '–'}</dd>
          </div>
          <div>
            <dt>{t('fact.bitrate')}</dt>
            <dd>{status && status.bitrate_kbps > 0 ? format.bitrate(status.bitrate_kbps * 1000) : '–'}</dd>
          </div>
        </dl>
      </div>
      {status && !status.source_connected && (
        <Notice tone="warn" title={t('record.no_source')}>
          {t('record.no_source.hint')}
        </Notice>
      )}
      {status && status.gaps > 0 && status.source_connected && (
        <p className="small record-gaps">
          <CircleAlert size={16} aria-hidden /> {n('record.gaps', status.gaps)}
        </p>
      )}
      <Button className="record-button record-stop" busy={stop.busy} onClick={() => stop.run(session.session_id)}>
        {!stop.busy && <span className="record-square" aria-hidden />}
        {t('record.stop')}
      </Button>
    </div>
  );
}

const RADIUS = 26;

function Ring({ ratio }: { ratio: number }) {
  const around = 2 * Math.PI * RADIUS;
  return (
    <svg className="record-ring" width="64" height="64" viewBox="0 0 64 64" aria-hidden>
      <circle cx="32" cy="32" r={RADIUS} className="record-ring-back" />
      <circle
        cx="32"
        cy="32"
        r={RADIUS}
        className="record-ring-front"
        strokeDasharray={around}
        strokeDashoffset={around * (1 - ratio)}
      />
      <circle cx="32" cy="32" r="8" className="record-ring-dot" />
    </svg>
  );
}
