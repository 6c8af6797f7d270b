// One camera: the picture, the record button, what it sends, where to take it from, what happened.
import { Maximize, MoreVertical, Pencil, Power, RefreshCw, Trash2, Video, Volume2, VolumeX } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { ApiError, post } from '../../api/client';
import { tell } from '../../api/errors';
import type { Camera } from '../../api/model';
import {
  actions,
  keys,
  queryClient,
  useAction,
  useCamera,
  useCameraEvents,
  useRecordingOf,
  useStreamUrls,
  useVideos,
} from '../../api/queries';
import { useMay } from '../../app/permissions';
import { type Key, useI18n } from '../../i18n';
import { useKeys, useNow, usePageVisible, useTitle } from '../../lib/hooks';
import { dotOf, LivePicture } from '../../live/LivePicture';
import { useLive } from '../../live/useLive';
import { Button, Confirm, CopyField, Empty, IconButton, Menu, Notice, Skeleton } from '../../ui';
import { useToast } from '../../ui/toast';
import { RecordPanel } from '../record/RecordPanel';
import { RecPill } from '../record/RecPill';
import { chosenMinutes, useStart, useStop } from '../record/useRecord';
import { CameraForm } from './CameraForm';
import { codecName, kindName } from './facts';
import './camera-page.css';

export default function CameraPage({ id }: { id: number }) {
  const i18n = useI18n();
  const { t } = i18n;
  const [, navigate] = useLocation();
  const camera = useCamera(id);
  if (camera.data) return <Page camera={camera.data} />;
  if (camera.isError) {
    const gone = camera.error instanceof ApiError && camera.error.status === 404;
    const told = tell(i18n, camera.error);
    return (
      <main className="page">
        <Empty
          icon={<Video size={24} />}
          title={told.title}
          actions={
            <Button onClick={() => (gone ? navigate('/cameras') : void camera.refetch())}>
              {t(gone ? 'camera.back' : 'action.retry')}
            </Button>
          }
        >
          {told.hint}
        </Empty>
      </main>
    );
  }
  return (
    <main className="page" aria-busy>
      <div className="page-head">
        <Skeleton height={28} width="200px" />
      </div>
      <div className="camera-page">
        <div className="skeleton" style={{ aspectRatio: '16 / 9' }} />
        <Skeleton height={240} />
      </div>
    </main>
  );
}

const HIDDEN_GRACE_MS = 15_000;

function Page({ camera }: { camera: Camera }) {
  const i18n = useI18n();
  const { t } = i18n;
  const toast = useToast();
  const [, navigate] = useLocation();
  const manage = useMay('cameras.manage');
  const [sound, setSound] = useState(false);
  const [dialog, setDialog] = useState<'edit' | 'delete' | null>(null);
  const player = useRef<HTMLDivElement>(null);
  const visible = usePageVisible(HIDDEN_GRACE_MS);
  const live = useLive(camera.id, 'main', camera.enabled && visible);
  const session = useRecordingOf(camera.id);
  const start = useStart(camera);
  const stop = useStop(camera);
  const dot = dotOf(i18n, camera, live.view);
  useTitle(camera.name);

  const hasSound = Boolean(camera.streams[0]?.audio_codec) && live.view?.mode !== 'picture';
  const fullScreen = () =>
    void (document.fullscreenElement ? document.exitFullscreen() : player.current?.requestFullscreen?.());
  const toggleSound = () => hasSound && setSound((on) => !on);
  useKeys({
    r: () => {
      if (start.busy || stop.busy) return;
      if (session) stop.run(session.session_id);
      else start.run(chosenMinutes.get());
    },
    f: fullScreen,
    m: toggleSound,
  });

  const reconnect = () =>
    post(`/api/health/cameras/${camera.id}/reconnect`).then(
      () => toast({ text: t('camera.reconnecting') }),
      (error) => toast({ tone: 'bad', text: tell(i18n, error).title }),
    );
  const switching = useAction((enabled: boolean) => actions.updateCamera(camera.id, { enabled }), [keys.cameras]);

  return (
    <main className="page">
      <header className="page-head">
        <h1 className="camera-title">
          <span className={`dot ${dot.className}`} title={dot.label} />
          {camera.name}
        </h1>
        {manage && (
          <>
            <Button onClick={() => setDialog('edit')}>
              <Pencil size={16} aria-hidden />
              {t('action.edit')}
            </Button>
            <Menu label={t('action.more')} icon={<MoreVertical size={20} aria-hidden />}>
              {(close) => (
                <>
                  <button
                    type="button"
                    onClick={() => {
                      close();
                      void reconnect();
                    }}
                  >
                    <RefreshCw size={16} aria-hidden />
                    {t('camera.reconnect')}
                  </button>
                  <button
                    type="button"
                    onClick={() => {
                      close();
                      switching.mutate(!camera.enabled);
                    }}
                  >
                    <Power size={16} aria-hidden />
                    {t(camera.enabled ? 'camera.disable' : 'camera.enable')}
                  </button>
                  <button
                    type="button"
                    className="danger"
                    onClick={() => {
                      close();
                      setDialog('delete');
                    }}
                  >
                    <Trash2 size={16} aria-hidden />
                    {t('camera.delete')}
                  </button>
                </>
              )}
            </Menu>
          </>
        )}
      </header>
      <div className="camera-page">
        <div className="camera-main">
          <div className="camera-player" ref={player}>
            <LivePicture camera={camera} stream="main" live={live} muted={!sound} />
            {session && (
              <div className="camera-player-rec">
                <RecPill session={session} />
              </div>
            )}
            <div className="camera-player-tools">
              {hasSound && (
                <IconButton
                  label={t(sound ? 'camera.mute' : 'camera.unmute')}
                  aria-pressed={sound}
                  onClick={toggleSound}
                >
                  {sound ? <Volume2 size={20} aria-hidden /> : <VolumeX size={20} aria-hidden />}
                </IconButton>
              )}
              <IconButton label={t('action.fullscreen')} onClick={fullScreen}>
                <Maximize size={20} aria-hidden />
              </IconButton>
            </div>
          </div>
          {live.view?.mode === 'picture' && live.view.codec !== '' && (
            <Notice tone="plain" title={t('camera.stills')}>
              {t('camera.stills.hint', { codec: codecName(live.view.codec) })}
            </Notice>
          )}
          <Facts camera={camera} measure={live.measure} />
        </div>
        <aside className="camera-side">
          <section className="card camera-card camera-record">
            <h2>{t('record.panel')}</h2>
            <RecordPanel camera={camera} />
          </section>
          <Urls camera={camera} />
          <History camera={camera} />
        </aside>
      </div>
      {dialog === 'edit' && (
        <CameraForm
          camera={camera}
          title={t('camera.edit_title', { camera: camera.name })}
          action={t('form.save')}
          save={(input) => actions.updateCamera(camera.id, input)}
          onSaved={() => {
            setDialog(null);
            void queryClient.invalidateQueries({ queryKey: keys.cameras });
            toast({ tone: 'good', text: t('camera.saved') });
          }}
          onClose={() => setDialog(null)}
        />
      )}
      {dialog === 'delete' && (
        <DeleteCamera
          camera={camera}
          onClose={() => setDialog(null)}
          onDeleted={() => {
            toast({ tone: 'good', text: t('camera.deleted', { camera: camera.name }) });
            navigate('/cameras');
          }}
        />
      )}
    </main>
  );
}

function Facts({ camera, measure }: { camera: Camera; measure: () => { lag: number } }) {
  const { t, format } = useI18n();
  const stream = camera.streams[0];
  const [lag, setLag] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setLag(measure().lag), 1000);
    return () => clearInterval(timer);
  }, [measure]);
  const rows: [Key, string | null][] = [
    ['fact.picture', stream?.width ? `${stream.width} × ${stream.height}` : null],
    [
      'fact.codec',
      [stream?.codec, stream?.audio_codec]
        .filter((codec) => codec)
        .map((codec) => codecName(codec ?? ''))
        .join(' + ') || null,
    ],
    ['fact.fps', stream && stream.fps > 0 ? format.fps(stream.fps) : null],
    ['fact.bitrate', stream && stream.bitrate_kbps > 0 ? format.bitrate(stream.bitrate_kbps * 1000) : null],
    ['fact.delay', lag > 0 ? format.delay(lag * 1000) : null],
    ['fact.viewers', stream ? format.number(stream.viewers) : null],
    [
      'fact.uptime',
      typeof camera.uptime_percentage === 'number' ? format.percent(camera.uptime_percentage / 100) : null,
    ],
    [
      'fact.source',
      kindName(camera.connection_type) ?? t(camera.connection_type === 'testcard' ? 'kind.testcard' : 'kind.file'),
    ],
  ];
  return (
    <dl className="camera-page-facts card">
      {rows.map(([key, value]) => (
        <div key={key}>
          <dt>{t(key)}</dt>
          <dd>{value ?? '–'}</dd>
        </div>
      ))}
    </dl>
  );
}

function Urls({ camera }: { camera: Camera }) {
  const { t } = useI18n();
  const urls = useStreamUrls(camera.id);
  const main = urls.data?.find((entry) => entry.stream === 'main');
  const sub = urls.data?.find((entry) => entry.stream === 'sub');
  return (
    <section className="card camera-card">
      <h2>{t('urls.title')}</h2>
      {urls.isPending && <Skeleton height={140} />}
      {main?.rtsp && <CopyField label={t('urls.rtsp')} value={main.rtsp} />}
      {sub?.rtsp && camera.secondary_stream_url && <CopyField label={t('urls.rtsp_sub')} value={sub.rtsp} />}
      {main && <CopyField label={t('urls.mjpeg')} value={main.mjpeg} />}
      {main && <CopyField label={t('urls.snapshot')} value={main.snapshot} />}
      {main && <p className="field-hint">{t('urls.hint')}</p>}
    </section>
  );
}

/** Opening and closing sessions is how recordings are made, not what people look for: those events are left out. */
const EVENT_WORDS: Record<string, Key> = {
  camera_online: 'event.online',
  camera_offline: 'event.offline',
  camera_suspended: 'event.suspended',
  recording_started: 'event.recording_started',
  recording_finished: 'event.recording_finished',
  recording_failed: 'event.recording_failed',
};
const BAD_EVENTS = ['camera_offline', 'camera_suspended', 'recording_failed'];
const EVENTS_SHOWN = 8;

function History({ camera }: { camera: Camera }) {
  const { t, format } = useI18n();
  const events = useCameraEvents(camera.id);
  const now = useNow(30_000);
  const told = events.data?.filter((event) => event.kind in EVENT_WORDS).slice(0, EVENTS_SHOWN);
  return (
    <section className="card camera-card">
      <h2>{t('events.title')}</h2>
      {events.isPending && <Skeleton height={96} />}
      {told?.length === 0 && <p className="small muted">{t('events.empty')}</p>}
      <ol className="events">
        {told?.map((event) => {
          const word = EVENT_WORDS[event.kind];
          return (
            <li key={event.id}>
              <span
                className={`dot ${BAD_EVENTS.includes(event.kind) ? 'dot-bad' : event.kind === 'camera_online' ? 'dot-good' : ''}`}
                aria-hidden
              />
              <span title={event.message}>{word ? t(word) : event.message}</span>
              <time dateTime={event.at} title={format.dateTime(event.at)}>
                {format.relative(event.at, now)}
              </time>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function DeleteCamera({ camera, onClose, onDeleted }: { camera: Camera; onClose: () => void; onDeleted: () => void }) {
  const i18n = useI18n();
  const { t, n } = i18n;
  const session = useRecordingOf(camera.id);
  const kept = useVideos().data?.filter((video) => video.camera_id === camera.id).length ?? 0;
  const remove = useAction(() => actions.deleteCamera(camera.id, session !== undefined), [keys.sessions], {
    done: () => {
      onDeleted();
      queryClient.setQueryData<Camera[]>(keys.cameras, (list) => list?.filter((known) => known.id !== camera.id));
      void queryClient.invalidateQueries({ queryKey: keys.cameras, exact: true });
    },
  });
  const told = remove.error && tell(i18n, remove.error);
  return (
    <Confirm
      title={t('camera.delete_title', { camera: camera.name })}
      action={t('camera.delete')}
      busy={remove.isPending}
      onConfirm={() => remove.mutate(undefined)}
      onClose={onClose}
    >
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <p>{t('camera.delete_text')}</p>
      {session && <Notice tone="warn" title={t('camera.delete_recording')} />}
      <p className="muted">{kept > 0 ? n('camera.delete_kept', kept) : t('camera.delete_nothing')}</p>
    </Confirm>
  );
}
