// What was recorded: by day, clips under their recording; watch, download, delete.
import { ChevronDown, Download, Film, Search, Trash2, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { tell } from '../../api/errors';
import type { Video } from '../../api/model';
import { useMay } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { dayKey } from '../../lib/format';
import { useNow } from '../../lib/hooks';
import { Button, Empty, Field, IconButton, Select, Skeleton } from '../../ui';
import { Chosen } from '../archive/Chosen';
import { DeleteVideo } from '../archive/DeleteVideo';
import { Badges, Thumb } from '../archive/parts';
import { fileUrl } from '../archive/playback';
import '../archive/archive.css';
import { placeOf, useVideoList, type VideoEntry } from './useVideoList';
import './videos.css';

interface Props {
  open?: number;
  /** Whether one video has the page for itself. */
  onWide: (wide: boolean) => void;
}

export function VideoListNew({ open, onWide }: Props) {
  const i18n = useI18n();
  const { t } = i18n;
  const list = useVideoList();
  const { videos } = list;
  useEffect(() => {
    onWide(open !== undefined);
    return () => onWide(false);
  }, [open, onWide]);

  if (videos.isPending) return <VideosSkeleton />;
  if (!videos.data) {
    const told = tell(i18n, videos.error);
    return (
      <Empty
        icon={<TriangleAlert size={24} />}
        title={told.title}
        actions={<Button onClick={() => void videos.refetch()}>{t('action.retry')}</Button>}
      >
        {told.hint}
      </Empty>
    );
  }
  if (open !== undefined) {
    const chosen = videos.data.find((video) => video.recording_id === open);
    const home = { href: '/record/videos', label: t('videos.all') };
    return chosen ? (
      <div className="watch">
        <Chosen key={chosen.recording_id} video={chosen} home={home} />
      </div>
    ) : (
      <Empty
        icon={<Film size={24} />}
        title={t('archive.gone')}
        actions={
          <Link className="btn btn-primary" href={home.href}>
            {home.label}
          </Link>
        }
      />
    );
  }
  if (videos.data.length === 0) {
    return (
      <Empty
        icon={<Film size={24} />}
        title={t('archive.empty')}
        actions={
          <Link className="btn btn-primary" href="/record">
            {t('videos.empty.action')}
          </Link>
        }
      >
        {t('videos.empty.hint')}
      </Empty>
    );
  }
  return (
    <div className="videos">
      <Filters list={list} />
      {list.total === 0 ? (
        <Empty
          icon={<Search size={24} />}
          title={t('videos.none_match')}
          actions={<Button onClick={list.clear}>{t('videos.clear')}</Button>}
        />
      ) : (
        <Days entries={list.entries} />
      )}
      {list.more && (
        <Button className="videos-more" onClick={list.more}>
          {t('videos.more')}
        </Button>
      )}
    </div>
  );
}

function Filters({ list }: { list: ReturnType<typeof useVideoList> }) {
  const { t, n } = useI18n();
  const { filter, places, people, setFilter } = list;
  const options = (all: string, names: string[]) => [
    { value: '', label: all },
    ...names.map((name) => ({ value: name, label: name })),
  ];
  return (
    <search className="videos-filters">
      <Field
        label={t('videos.search')}
        type="search"
        value={filter.search}
        onChange={(event) => setFilter({ search: event.target.value })}
      />
      {places.length > 1 && (
        <Select
          label={t('newrec.court')}
          value={filter.place}
          options={options(t('videos.all_courts'), places)}
          onChange={(place) => setFilter({ place })}
        />
      )}
      {people.length > 1 && (
        <Select
          label={t('videos.person')}
          value={filter.person}
          options={options(t('videos.everybody'), people)}
          onChange={(person) => setFilter({ person })}
        />
      )}
      <Field
        label={t('videos.day')}
        type="date"
        value={filter.day}
        onChange={(event) => setFilter({ day: event.target.value })}
      />
      <p className="small muted videos-count" role="status">
        {n('archive.count', list.total)}
        {list.filtered && (
          <Button small tone="quiet" onClick={list.clear}>
            {t('videos.clear')}
          </Button>
        )}
      </p>
    </search>
  );
}

function Days({ entries }: { entries: VideoEntry[] }) {
  const { format } = useI18n();
  const now = useNow(60_000);
  const days = new Map<string, VideoEntry[]>();
  for (const entry of entries) {
    const day = dayKey(entry.video.created_at);
    days.set(day, [...(days.get(day) ?? []), entry]);
  }
  return [...days].map(([day, list]) => (
    <section key={day}>
      <h2 className="videos-day">{format.day(list[0]?.video.created_at ?? day, now)}</h2>
      <ul className="card videos-list">
        {list.map((entry) => (
          <Entry key={entry.video.recording_id} entry={entry} />
        ))}
      </ul>
    </section>
  ));
}

function Entry({ entry: { video, clips } }: { entry: VideoEntry }) {
  const { n } = useI18n();
  const [shown, setShown] = useState(false);
  return (
    <li>
      <Row video={video} />
      {clips.length > 0 && (
        <div className="videos-clips">
          <Button small tone="quiet" aria-expanded={shown} onClick={() => setShown(!shown)}>
            <ChevronDown size={16} className={shown ? 'turned' : ''} aria-hidden />
            {n('videos.clips', clips.length)}
          </Button>
          {shown && (
            <ul>
              {clips.map((clip) => (
                <li key={clip.recording_id}>
                  <Row video={clip} />
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </li>
  );
}

function Row({ video }: { video: Video }) {
  const { t, format } = useI18n();
  const mayDelete = useMay('videos.delete');
  const [asking, setAsking] = useState(false);
  const what = `${placeOf(video)}, ${format.dateTime(video.created_at)}`;
  return (
    <div className="videos-row">
      <Link
        className="video-row"
        href={`/record/videos/${video.recording_id}`}
        title={format.dateTime(video.created_at)}
        aria-label={t('videos.watch_of', { what })}
      >
        <Thumb video={video} />
        <span className="video-words">
          <strong>{placeOf(video)}</strong>
          <span className="small muted">
            {[
              format.time(video.created_at),
              format.length(video.duration_seconds),
              format.bytes(video.size_bytes),
            ].join(' · ')}
          </span>
          {video.username && <span className="small muted videos-person">{video.username}</span>}
          <span className="video-badges">
            <Badges video={video} />
          </span>
        </span>
      </Link>
      <span className="videos-actions">
        {video.state === 'sealed' && (
          <a
            className="btn btn-quiet btn-icon"
            href={fileUrl(video, false)}
            download={video.filename}
            aria-label={t('videos.download_of', { what })}
            title={t('action.download')}
          >
            <Download size={18} aria-hidden />
          </a>
        )}
        {mayDelete && video.state !== 'open' && (
          <IconButton
            label={t('videos.delete_of', { what })}
            title={t('action.delete')}
            disabled={video.locked}
            onClick={() => setAsking(true)}
          >
            <Trash2 size={18} aria-hidden />
          </IconButton>
        )}
      </span>
      {asking && <DeleteVideo video={video} onClose={() => setAsking(false)} />}
    </div>
  );
}

function VideosSkeleton() {
  return (
    <div className="videos" aria-busy>
      {[0, 1, 2, 3, 4].map((row) => (
        <Skeleton key={row} height={74} />
      ))}
    </div>
  );
}
