// What was recorded, by day, and a player beside it.
import { Film, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { tell } from '../../api/errors';
import type { Video } from '../../api/model';
import { useVideoHealth, useVideos } from '../../api/queries';
import { useI18n } from '../../i18n';
import { dayKey } from '../../lib/format';
import { useNow, useTitle } from '../../lib/hooks';
import { Button, Empty, Select, Skeleton } from '../../ui';
import { Chosen } from './Chosen';
import { Badges, Thumb } from './parts';
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
              <Chosen key={chosen.recording_id} video={chosen} home={{ href: '/archive', label: t('nav.archive') }} />
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
          <strong>{video.terrain_name || video.camera_name}</strong>
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
