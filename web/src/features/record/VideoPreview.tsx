// The live picture of a court in three ways: smooth (as the wall shows it), a stream of JPEGs, five snapshots a second.
import { Activity, RefreshCw } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { usePreviewInfo } from '../../api/courts';
import type { PreviewInfo, Session, Terrain } from '../../api/model';
import { type Key, useI18n } from '../../i18n';
import { createStoredStore, useStore } from '../../lib/store';
import { Segmented } from '../../ui';
import { CourtPicture } from './CourtPicture';
import { type PreviewHealth, previewHealth } from './courtState';
import { RecPill } from './RecPill';

const SMOOTH = 'smooth';
const STREAM = 'stream';
const PICTURES = 'pictures';
const MODES = [SMOOTH, STREAM, PICTURES] as const;
type Mode = (typeof MODES)[number];
const chosenMode = createStoredStore<Mode>('vigie.preview', SMOOTH, MODES);

const SNAPSHOT_MS = 200;
const AGAIN_MS = 2000;

interface Props {
  terrain: Terrain;
  /** Without one there is only the smooth picture, and nothing is asked of the preview. */
  session?: Session;
}

export function VideoPreview({ terrain, session }: Props) {
  const { t } = useI18n();
  const chosen = useStore(chosenMode);
  const info = usePreviewInfo(session?.session_id);
  const mode: Mode = session ? chosen : SMOOTH;
  const options: { value: Mode; label: string }[] = [
    { value: SMOOTH, label: t('preview.smooth') },
    { value: STREAM, label: t('preview.stream') },
    { value: PICTURES, label: t('preview.pictures') },
  ];
  return (
    <div className="preview">
      <div className="preview-picture">
        {mode === SMOOTH && <CourtPicture terrain={terrain} large />}
        {mode === STREAM && session && <Stream session={session.session_id} court={terrain.name} />}
        {mode === PICTURES && session && <Snapshots session={session.session_id} court={terrain.name} />}
        {session?.recording_active && (
          <span className="preview-rec">
            <RecPill session={session} />
          </span>
        )}
        {session && <HealthBadge info={info.data} failed={info.isError && !info.data} />}
      </div>
      {session && (
        <div className="preview-bar">
          <Segmented label={t('preview.mode')} value={mode} options={options} onChange={chosenMode.set} />
        </div>
      )}
    </div>
  );
}

const HEALTH: Record<PreviewHealth, [Key, string]> = {
  unknown: ['preview.unknown', ''],
  good: ['preview.good', 'badge-green'],
  slow: ['preview.slow', 'badge-amber'],
  lost: ['preview.lost', 'badge-red'],
};

function HealthBadge({ info, failed }: { info?: PreviewInfo; failed: boolean }) {
  const { t, n, format } = useI18n();
  const [label, tone] = HEALTH[failed ? 'unknown' : previewHealth(info)];
  const facts = info && [
    info.width ? `${info.width} × ${info.height}` : null,
    info.fps > 0 ? t('preview.fps', { fps: format.fps(info.fps) }) : null,
    n('preview.viewers', info.viewers),
  ];
  return (
    <span className={`badge ${tone} preview-health`} role="status" title={facts?.filter(Boolean).join(' · ')}>
      <Activity size={12} aria-hidden />
      {t(label)}
    </span>
  );
}

function Stream({ session, court }: { session: string; court: string }) {
  const { t } = useI18n();
  const [attempt, setAttempt] = useState(0);
  const [broken, setBroken] = useState(false);
  const image = useRef<HTMLImageElement>(null);
  useEffect(() => {
    if (!broken) return;
    const timer = setTimeout(() => {
      setBroken(false);
      setAttempt((count) => count + 1);
    }, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [broken]);
  // A picture that is taken off the page goes on loading until it is told otherwise.
  useEffect(() => {
    const element = image.current;
    return () => element?.removeAttribute('src');
  }, []);
  return (
    <>
      <img
        ref={image}
        className={`preview-image ${broken ? 'preview-broken' : ''}`}
        src={`/api/preview/${encodeURIComponent(session)}/stream.mjpeg?attempt=${attempt}`}
        alt={t('preview.alt', { court })}
        onError={() => setBroken(true)}
      />
      {broken && <Broken />}
    </>
  );
}

/** Asks every 200 ms, but never for a second picture before the first has come. */
function Snapshots({ session, court }: { session: string; court: string }) {
  const { t } = useI18n();
  const image = useRef<HTMLImageElement>(null);
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    const element = image.current;
    if (!element) return;
    let waiting = false;
    let hold: ReturnType<typeof setTimeout> | undefined;
    const ask = () => {
      if (waiting || document.visibilityState === 'hidden') return;
      waiting = true;
      element.src = `/api/preview/${encodeURIComponent(session)}/snapshot.jpg?t=${Date.now()}`;
    };
    const onLoad = () => {
      waiting = false;
      setBroken(false);
    };
    const onError = () => {
      setBroken(true);
      hold = setTimeout(() => {
        waiting = false;
      }, AGAIN_MS);
    };
    element.addEventListener('load', onLoad);
    element.addEventListener('error', onError);
    ask();
    const timer = setInterval(ask, SNAPSHOT_MS);
    return () => {
      clearInterval(timer);
      clearTimeout(hold);
      element.removeEventListener('load', onLoad);
      element.removeEventListener('error', onError);
    };
  }, [session]);
  return (
    <>
      <img
        ref={image}
        className={`preview-image ${broken ? 'preview-broken' : ''}`}
        alt={t('preview.alt', { court })}
      />
      {broken && <Broken />}
    </>
  );
}

function Broken() {
  const { t } = useI18n();
  return (
    <div className="live-message live-shade" role="status">
      <span aria-hidden>
        <RefreshCw size={20} />
      </span>
      <p>
        <strong>{t('preview.broken')}</strong>
      </p>
    </div>
  );
}
