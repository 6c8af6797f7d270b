// The list that operators work from: what there is, how it is, what to do about it.
import { Plus, Search, TriangleAlert, Video } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { tell, tellReason } from '../../api/errors';
import type { Camera } from '../../api/model';
import { useCameras, useRecordingOf } from '../../api/queries';
import { useMay } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { useTitle } from '../../lib/hooks';
import { dotOf } from '../../live/LivePicture';
import { Button, Empty, Skeleton } from '../../ui';
import { NotAllowed } from '../../ui/LoadFailed';
import { RecPill } from '../record/RecPill';
import AddCamera from './AddCamera';
import { codecName, kindName } from './facts';
import { Shot } from './Shot';
import './cameras.css';

export default function Cameras() {
  if (useMay('cameras.see')) return <List />;
  return (
    <main className="page">
      <NotAllowed />
    </main>
  );
}

function List() {
  const i18n = useI18n();
  const { t, n } = i18n;
  const cameras = useCameras();
  const manage = useMay('cameras.manage');
  const [adding, setAdding] = useState(false);
  const [query, setQuery] = useState('');
  useTitle(t('nav.cameras'));

  const words = query.trim().toLowerCase();
  const list = cameras.data?.filter((camera) =>
    `${camera.name} ${camera.slug} ${camera.primary_stream_url ?? ''}`.toLowerCase().includes(words),
  );
  const down = cameras.data?.filter((camera) => camera.enabled && isDown(camera)).length ?? 0;
  const add = manage && (
    <Button tone="primary" onClick={() => setAdding(true)}>
      <Plus size={18} aria-hidden />
      {t('camera.add')}
    </Button>
  );

  return (
    <main className="page">
      <header className="page-head cameras-head">
        <h1>{t('nav.cameras')}</h1>
        {(cameras.data?.length ?? 0) > 5 && (
          <label className="search">
            <Search size={16} aria-hidden />
            <span className="sr-only">{t('cameras.search')}</span>
            <input
              className="input"
              type="search"
              placeholder={t('cameras.search')}
              value={query}
              onChange={(event) => setQuery(event.target.value)}
            />
          </label>
        )}
        {(cameras.data?.length ?? 0) > 0 && add}
        {cameras.data && cameras.data.length > 0 && (
          <p className="small">
            {n('cameras.count', cameras.data.length)}
            {down > 0 && (
              <>
                {' · '}
                <span style={{ color: 'var(--red)' }}>{n('cameras.down', down)}</span>
              </>
            )}
          </p>
        )}
      </header>
      {cameras.isPending && (
        <ul className="camera-list card" aria-busy>
          {[0, 1, 2].map((row) => (
            <li key={row} className="camera-row">
              <div className="camera-shot skeleton" />
              <div style={{ display: 'grid', gap: 8, flex: 1 }}>
                <Skeleton height={16} width="40%" />
                <Skeleton height={12} width="60%" />
              </div>
            </li>
          ))}
        </ul>
      )}
      {cameras.isError && !cameras.data && (
        <Empty
          icon={<TriangleAlert size={24} />}
          title={tell(i18n, cameras.error).title}
          actions={<Button onClick={() => void cameras.refetch()}>{t('action.retry')}</Button>}
        >
          {tell(i18n, cameras.error).hint}
        </Empty>
      )}
      {cameras.data?.length === 0 && (
        <Empty icon={<Video size={24} />} title={t('wall.empty')} actions={add}>
          {t('wall.empty.hint')}
        </Empty>
      )}
      {list && list.length > 0 && (
        <ul className="camera-list card">
          {list.map((camera) => (
            <Row key={camera.id} camera={camera} />
          ))}
        </ul>
      )}
      {list?.length === 0 && words !== '' && (
        <Empty icon={<Search size={24} />} title={t('cameras.none_found')}>
          {t('cameras.none_found.hint', { query })}
        </Empty>
      )}
      {adding && <AddCamera onClose={() => setAdding(false)} />}
    </main>
  );
}

const isDown = (camera: Camera) => camera.streams[0]?.state === 'waiting' || camera.streams[0]?.state === 'suspended';

function Row({ camera }: { camera: Camera }) {
  const i18n = useI18n();
  const { t, format } = i18n;
  const session = useRecordingOf(camera.id);
  const dot = dotOf(i18n, camera, null);
  const stream = camera.streams[0];
  const trouble = stream?.error_code && isDown(camera) ? tellReason(i18n, stream.error_code) : null;
  return (
    <li>
      <Link className="camera-row" href={`/cameras/${camera.id}`}>
        <Shot camera={camera} />
        <div className="camera-words">
          <span className="camera-name">
            {camera.name}
            {session && <RecPill session={session} />}
          </span>
          <span className="camera-state">
            <span className={`dot ${dot.className}`} aria-hidden />
            {trouble ? trouble.title : dot.label}
          </span>
        </div>
        <dl className="camera-facts">
          <div>
            <dt>{t('fact.picture')}</dt>
            <dd>{stream?.width ? `${stream.width} × ${stream.height}` : '–'}</dd>
          </div>
          <div>
            <dt>{t('fact.codec')}</dt>
            <dd>{stream?.codec ? codecName(stream.codec) : (kindName(camera.connection_type) ?? '–')}</dd>
          </div>
          <div>
            <dt>{t('fact.bitrate')}</dt>
            <dd>{stream && stream.bitrate_kbps > 0 ? format.bitrate(stream.bitrate_kbps * 1000) : '–'}</dd>
          </div>
          <div>
            <dt>{t('fact.viewers')}</dt>
            <dd>{stream ? format.number(stream.viewers) : '–'}</dd>
          </div>
        </dl>
      </Link>
    </li>
  );
}
