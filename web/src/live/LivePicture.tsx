// A live picture with what is to be said about it: black with the last frame while the camera is away, never a jump.
import { Power, RefreshCw, TriangleAlert, Unplug } from 'lucide-react';
import { useEffect, useState } from 'react';
import { post } from '../api/client';
import { type Told, tellCode, tellReason } from '../api/errors';
import type { Camera, StreamInfo, StreamName } from '../api/model';
import { type I18n, useI18n } from '../i18n';
import type { PlayerView } from './player';
import type { Live } from './useLive';
import './live.css';

interface Props {
  camera: Camera;
  stream: StreamName;
  live: Live;
  muted: boolean;
  /** The words take less room. */
  compact?: boolean;
}

export function LivePicture({ camera, stream, live, muted, compact }: Props) {
  const { view } = live;
  const observed = camera.streams.find((entry) => entry.stream === stream) ?? camera.streams[0];
  return (
    <div className={`live ${compact ? 'live-compact' : ''}`}>
      <video
        ref={live.video}
        className={view?.mode === 'video' && view.showing ? 'live-on' : ''}
        autoPlay
        playsInline
        muted={muted}
        aria-label={camera.name}
      />
      <img ref={live.image} alt="" className={view?.mode === 'picture' && view.showing ? 'live-on' : ''} />
      <Overlay camera={camera} view={view} observed={observed} />
    </div>
  );
}

const GRACE_MS = 700;

function Overlay({ camera, view, observed }: { camera: Camera; view: PlayerView | null; observed?: StreamInfo }) {
  const i18n = useI18n();
  const { t } = i18n;
  const waiting = !view || (!view.showing && view.state.status !== 'waiting');
  const [late, setLate] = useState(false);
  // A picture that comes at once needs no spinner before it.
  useEffect(() => {
    if (!waiting) return setLate(false);
    const timer = setTimeout(() => setLate(true), GRACE_MS);
    return () => clearTimeout(timer);
  }, [waiting]);

  if (!camera.enabled) return <Message icon={<Power size={20} />} title={t('live.disabled')} />;
  if (view?.failure) {
    const told = tellCode(i18n, view.failure.code, view.failure.message);
    return <Message icon={<TriangleAlert size={20} />} {...told} />;
  }
  const status = view?.state.status;
  if (status === 'waiting' || status === 'suspended') {
    const told = observed?.error_code
      ? tellReason(i18n, observed.error_code)
      : { title: t('error.camera_unreachable') };
    return (
      <Message icon={<Unplug size={20} />} {...told}>
        {status === 'waiting' && view?.state.retryAt !== undefined && <Countdown until={view.state.retryAt} />}
        <Retry camera={camera} />
      </Message>
    );
  }
  if (status === 'silent')
    return <Message icon={<Unplug size={20} />} title={t('live.silent')} hint={t('live.silent.hint')} />;
  if (status === 'disconnected') return <Message icon={<RefreshCw size={20} />} title={t('live.disconnected')} />;
  if (waiting && late) {
    return (
      <div className="live-message" role="status">
        <span className="spinner" aria-hidden />
        <p>{t('live.connecting')}</p>
      </div>
    );
  }
  return null;
}

function Message({ icon, title, hint, children }: Told & { icon: React.ReactNode; children?: React.ReactNode }) {
  return (
    <div className="live-message live-shade" role="status">
      <span aria-hidden>{icon}</span>
      <p>
        <strong>{title}</strong>
      </p>
      {hint && <p className="live-hint">{hint}</p>}
      {children}
    </div>
  );
}

function Countdown({ until }: { until: number }) {
  const { t, format } = useI18n();
  const [left, setLeft] = useState(() => Math.ceil((until - performance.now()) / 1000));
  useEffect(() => {
    const tick = () => setLeft(Math.ceil((until - performance.now()) / 1000));
    tick();
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [until]);
  return (
    <p className="live-hint">{left > 0 ? t('live.retry_in', { time: format.length(left) }) : t('live.connecting')}</p>
  );
}

function Retry({ camera }: { camera: Camera }) {
  const { t } = useI18n();
  return (
    <button
      type="button"
      className="live-retry"
      onClick={(event) => {
        event.preventDefault();
        event.stopPropagation();
        void post(`/api/health/cameras/${camera.id}/reconnect`).catch(() => undefined);
      }}
    >
      {t('live.retry_now')}
    </button>
  );
}

/** The colour of a camera's dot, and the word behind it. */
export function dotOf({ t }: I18n, camera: Camera, view: PlayerView | null): { className: string; label: string } {
  if (!camera.enabled) return { className: '', label: t('state.disabled') };
  const status = view && view.state.status !== 'disconnected' ? view.state.status : camera.streams[0]?.state;
  switch (status) {
    case 'live':
      return { className: 'dot-good', label: t('state.live') };
    case 'connecting':
      return { className: 'dot-busy', label: t('state.connecting') };
    case 'silent':
      return { className: 'dot-degraded', label: t('state.silent') };
    case 'waiting':
    case 'suspended':
      return { className: 'dot-bad', label: t('state.offline') };
    default:
      return camera.connection_health === 'offline'
        ? { className: 'dot-bad', label: t('state.offline') }
        : { className: '', label: t('state.idle') };
  }
}
