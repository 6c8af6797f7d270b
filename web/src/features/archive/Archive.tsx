// What was recorded, by day, and a player beside it.
import { ArrowLeft, Download, Film, Trash2, TriangleAlert, Unplug } from 'lucide-react';
import { useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { tell } from '../../api/errors';
import type { Video } from '../../api/model';
import { actions, keys, useAction, useVideoHealth, useVideos } from '../../api/queries';
import { useMay } from '../../app/permissions';
import { type Key, useI18n } from '../../i18n';
import { dayKey } from '../../lib/format';
import { useNow, useOnScreen, useTitle } from '../../lib/hooks';
import { Button, Confirm, Empty, Notice, Select, Skeleton } from '../../ui';
import { useToast } from '../../ui/toast';
import { codecName } from '../cameras/facts';
import { Player } from './Player';
import { fileUrl } from './playback';
import './archive.css';

const ALL = 'all';

export default function Archive({ open }: { open?: number }) {
  const i18n = useI18n();
  const { t, n, format } = i18n;
  const videos = useVideos();
  const disk = useVideoHealth().data?.disk;
  const now = useNow(60_000);
  const [camera, setCamera] = useState(ALL);
  useTitle(t('nav.archive'));

  const all = videos.data ?? [];
  const cameras = [...new Set(all.map((video) => video.camera_name))].sort((a, b) => a.localeCompare(b));
  const list = camera === ALL ? all : all.filter((video) => video.camera_name === camera);
  const chosen = all.find((video) => video.recording_id === open);
  const days = groupByDay(list);
  const bytes = all.reduce((sum, video) => sum + video.size_bytes, 0);

  return (
    <main className={`page archive ${open === undefined ? '' : 'archive-open'}`}>
      <header className="page-head">
        <h1>{t('nav.archive')}</h1>
        {cameras.length > 1 && (
          <div className="archive-filter">
            <Select
              label={t('archive.camera')}
              value={camera}
              onChange={setCamera}
              options={[
                { value: ALL, label: t('archive.all_cameras') },
                ...cameras.map((name) => ({ value: name, label: name })),
              ]}
            />
          </div>
        )}
        {all.length > 0 && (
          <p className="small">
            {n('archive.count', all.length)} · {format.bytes(bytes)}
            {disk && ` · ${t('archive.free', { size: format.bytes(disk.available) })}`}
          </p>
        )}
      </header>
      {videos.isPending && (
        <div className="archive-columns" aria-busy>
          <div style={{ display: 'grid', gap: 12 }}>
            {[0, 1, 2, 3].map((row) => (
              <Skeleton key={row} height={72} />
            ))}
          </div>
          <div className="skeleton" style={{ aspectRatio: '16 / 9' }} />
        </div>
      )}
      {videos.isError && !videos.data && (
        <Empty
          icon={<TriangleAlert size={24} />}
          title={tell(i18n, videos.error).title}
          actions={<Button onClick={() => void videos.refetch()}>{t('action.retry')}</Button>}
        >
          {tell(i18n, videos.error).hint}
        </Empty>
      )}
      {videos.data?.length === 0 && (
        <Empty
          icon={<Film size={24} />}
          title={t('archive.empty')}
          actions={
            <Link className="btn btn-primary" href="/">
              {t('archive.empty.action')}
            </Link>
          }
        >
          {t('archive.empty.hint')}
        </Empty>
      )}
      {all.length > 0 && (
        <div className="archive-columns">
          <div className="archive-list">
            {[...days].map(([day, entries]) => (
              <section key={day}>
                <h2>{format.day(entries[0]?.created_at ?? day, now)}</h2>
                <ul className="card">
                  {entries.map((video) => (
                    <Row key={video.recording_id} video={video} current={video.recording_id === open} />
                  ))}
                </ul>
              </section>
            ))}
          </div>
          <div className="archive-player">
            {chosen ? (
              <Chosen key={chosen.recording_id} video={chosen} />
            ) : (
              <div className="archive-nothing">
                <Empty icon={<Film size={24} />} title={t(open === undefined ? 'archive.choose' : 'archive.gone')} />
              </div>
            )}
          </div>
        </div>
      )}
    </main>
  );
}

function groupByDay(videos: Video[]): Map<string, Video[]> {
  const days = new Map<string, Video[]>();
  for (const video of videos) {
    const day = dayKey(video.created_at);
    days.set(day, [...(days.get(day) ?? []), video]);
  }
  return days;
}

const STATE_BADGES: Partial<Record<Video['state'], [Key, string]>> = {
  open: ['archive.recording', 'badge-red'],
  failed: ['archive.failed', 'badge-red'],
};

function Badges({ video }: { video: Video }) {
  const { t, n } = useI18n();
  const state = STATE_BADGES[video.state];
  return (
    <>
      {state && <span className={`badge ${state[1]}`}>{t(state[0])}</span>}
      {video.interrupted && (
        <span className="badge badge-amber" title={t('archive.interrupted.hint')}>
          {t('archive.interrupted')}
        </span>
      )}
      {video.gaps.length > 0 && (
        <span className="badge badge-amber">
          <Unplug size={12} aria-hidden />
          {n('archive.gaps', video.gaps.length)}
        </span>
      )}
    </>
  );
}

function Row({ video, current }: { video: Video; current: boolean }) {
  const { format } = useI18n();
  return (
    <li>
      <Link
        className="video-row"
        href={`/archive/${video.recording_id}`}
        aria-current={current ? 'true' : undefined}
        title={format.dateTime(video.created_at)}
      >
        <Thumb video={video} />
        <span className="video-words">
          <strong>{video.camera_name}</strong>
          <span className="small muted">
            {format.time(video.created_at)} · {format.length(video.duration_seconds)} · {format.bytes(video.size_bytes)}
          </span>
          <span className="video-badges">
            <Badges video={video} />
          </span>
        </span>
      </Link>
    </li>
  );
}

/** The second second of the film, fetched only while the row is on the screen. */
function Thumb({ video }: { video: Video }) {
  const root = useRef<HTMLSpanElement>(null);
  const onScreen = useOnScreen(root);
  const [shown, setShown] = useState(false);
  const moment = Math.min(1, video.duration_seconds / 2);
  return (
    <span className="video-thumb" ref={root}>
      <Film size={18} aria-hidden />
      {onScreen && video.state === 'sealed' && (
        <video
          src={`${fileUrl(video, true)}#t=${moment.toFixed(1)}`}
          preload="metadata"
          muted
          playsInline
          tabIndex={-1}
          aria-hidden
          className={shown ? 'live-on' : ''}
          onLoadedData={() => setShown(true)}
        />
      )}
    </span>
  );
}

function Chosen({ video }: { video: Video }) {
  const i18n = useI18n();
  const { t, format } = i18n;
  const [, navigate] = useLocation();
  const toast = useToast();
  const mayDelete = useMay('videos.delete');
  const [asking, setAsking] = useState(false);
  const remove = useAction(actions.deleteVideo, [keys.videos, keys.videoHealth], {
    done: () => {
      toast({ tone: 'good', text: t('archive.deleted') });
      navigate('/archive');
    },
  });
  const told = remove.error && tell(i18n, remove.error);
  return (
    <>
      <Link className="archive-back" href="/archive">
        <ArrowLeft size={18} aria-hidden />
        {t('nav.archive')}
      </Link>
      {video.state === 'sealed' ? (
        <Player video={video} />
      ) : (
        <div className="archive-nothing">
          <Empty icon={<Film size={24} />} title={t(video.state === 'open' ? 'archive.still_open' : 'archive.nothing')}>
            {t(video.state === 'open' ? 'archive.still_open.hint' : 'archive.nothing.hint')}
          </Empty>
        </div>
      )}
      <div className="chosen-head">
        <div>
          <h2>{video.camera_name}</h2>
          <p className="small muted">{format.dateTime(video.created_at)}</p>
        </div>
        {video.state === 'sealed' && (
          <a className="btn btn-primary" href={fileUrl(video, false)} download={video.filename}>
            <Download size={18} aria-hidden />
            {t('action.download')}
          </a>
        )}
        {mayDelete && video.state !== 'open' && (
          <Button className="btn-text-danger" disabled={video.locked} onClick={() => setAsking(true)}>
            <Trash2 size={18} aria-hidden />
            {t('action.delete')}
          </Button>
        )}
      </div>
      <div className="video-badges">
        <Badges video={video} />
      </div>
      <dl className="chosen-facts">
        <Fact name="fact.length" value={format.length(video.duration_seconds)} />
        <Fact name="fact.size" value={format.bytes(video.size_bytes)} />
        <Fact name="fact.picture" value={video.width ? `${video.width} × ${video.height}` : null} />
        <Fact
          name="fact.codec"
          value={[video.codec, video.audio_codec].flatMap((codec) => (codec ? [codecName(codec)] : [])).join(' + ')}
        />
      </dl>
      {asking && (
        <Confirm
          title={t('archive.delete_title')}
          action={t('action.delete')}
          busy={remove.isPending}
          onClose={() => setAsking(false)}
          onConfirm={() => remove.mutate(video)}
        >
          {told && <Notice title={told.title}>{told.hint}</Notice>}
          <p>
            {t('archive.delete_text', {
              camera: video.camera_name,
              date: format.dateTime(video.created_at),
              length: format.length(video.duration_seconds),
              size: format.bytes(video.size_bytes),
            })}
          </p>
          <p className="muted">{t('archive.delete_final')}</p>
        </Confirm>
      )}
    </>
  );
}

function Fact({ name, value }: { name: Key; value: string | null }) {
  const { t } = useI18n();
  return (
    <div>
      <dt>{t(name)}</dt>
      <dd>{value || '–'}</dd>
    </div>
  );
}
