// Every camera at a glance. This is the page people leave open all day.
import { ChevronLeft, ChevronRight, Maximize, Plus, TriangleAlert, Video } from 'lucide-react';
import { lazy, Suspense, useRef, useState } from 'react';
import { tell } from '../../api/errors';
import { useCameras } from '../../api/queries';
import { useMay } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { useSize, useTitle } from '../../lib/hooks';
import { createStoredStore, useStore } from '../../lib/store';
import { Button, Empty, IconButton, Segmented } from '../../ui';
import { fitColumns, fitGrid, neighbour } from './layout';
import { Tile } from './Tile';
import './wall.css';

const AddCamera = lazy(() => import('../cameras/AddCamera'));
const Checklist = lazy(() => import('../start/Checklist'));

const AUTO = 0;
const LAYOUTS = [AUTO, 1, 4, 9, 16] as const;
const chosenLayout = createStoredStore<number>('vigie.layout', AUTO, LAYOUTS);
const MOST = 16;
const GAP = 6;
/** Narrower than this, tiles are a column that scrolls. */
const PHONE = 600;

export function Wall() {
  const i18n = useI18n();
  const { t, format } = i18n;
  const cameras = useCameras();
  const manage = useMay('cameras.manage');
  const guided = useMay('clubs');
  const layout = useStore(chosenLayout);
  const [page, setPage] = useState(0);
  const [adding, setAdding] = useState(false);
  const room = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(room);
  useTitle(t('nav.live'));

  const list = cameras.data ?? [];
  const phone = width > 0 && width < PHONE;
  const perPage = phone ? Math.max(1, list.length) : layout === AUTO ? MOST : layout;
  const pages = Math.max(1, Math.ceil(list.length / perPage));
  const current = Math.min(page, pages - 1);
  const shown = list.slice(current * perPage, (current + 1) * perPage);
  const side = Math.sqrt(layout);
  const grid = phone
    ? fitColumns(layout > 1 ? 2 : 1, 1, width, Number.POSITIVE_INFINITY, GAP)
    : layout === AUTO
      ? fitGrid(shown.length, width, height, GAP)
      : fitColumns(side, side, width, height, GAP);

  const add = (
    <Button tone="primary" onClick={() => setAdding(true)}>
      <Plus size={18} aria-hidden />
      {t('camera.add')}
    </Button>
  );

  return (
    <main className="wall">
      <header className="wall-head">
        <h1>{t('nav.live')}</h1>
        {list.length > 0 && (
          <>
            {pages > 1 && (
              <div className="wall-pages">
                <IconButton label={t('wall.previous')} disabled={current === 0} onClick={() => setPage(current - 1)}>
                  <ChevronLeft size={20} aria-hidden />
                </IconButton>
                <span className="small muted">{t('wall.page', { page: current + 1, pages })}</span>
                <IconButton
                  label={t('wall.next')}
                  disabled={current === pages - 1}
                  onClick={() => setPage(current + 1)}
                >
                  <ChevronRight size={20} aria-hidden />
                </IconButton>
              </div>
            )}
            <Segmented
              label={t('wall.layout')}
              value={layout}
              onChange={(value) => {
                chosenLayout.set(value);
                setPage(0);
              }}
              options={[
                { value: AUTO, label: t('wall.layout.auto') },
                { value: 1, label: format.number(1), title: t('wall.layout.1') },
                { value: 4, label: format.number(4), title: t('wall.layout.4') },
                { value: 9, label: format.number(9), title: t('wall.layout.9') },
                { value: 16, label: format.number(16), title: t('wall.layout.16') },
              ]}
            />
            <IconButton
              className="wall-full"
              label={t('action.fullscreen')}
              onClick={() => void room.current?.requestFullscreen?.()}
            >
              <Maximize size={18} aria-hidden />
            </IconButton>
            {manage && add}
          </>
        )}
      </header>
      {guided && (
        <Suspense>
          <Checklist />
        </Suspense>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: only arrows between the tiles, which have the focus */}
      <div
        className={`wall-room ${phone ? 'wall-phone' : ''}`}
        ref={room}
        onKeyDown={(event) => {
          const tiles = [...event.currentTarget.querySelectorAll<HTMLElement>('.tile')];
          const index = tiles.indexOf(event.target as HTMLElement);
          if (index < 0 || !event.key.startsWith('Arrow')) return;
          event.preventDefault();
          tiles[neighbour(index, event.key, grid.columns, tiles.length)]?.focus();
        }}
      >
        {cameras.isPending && <WallSkeleton />}
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
          <Empty icon={<Video size={24} />} title={t('wall.empty')} actions={manage && add}>
            {t(manage ? 'wall.empty.hint' : 'wall.empty.hint_player')}
          </Empty>
        )}
        {shown.length > 0 && grid.tileWidth > 0 && (
          <ul
            className="wall-grid"
            style={{ gridTemplateColumns: `repeat(${grid.columns}, ${grid.tileWidth}px)`, gap: GAP }}
          >
            {shown.map((camera) => (
              <li key={camera.id} style={{ height: grid.tileHeight }}>
                <Tile camera={camera} width={grid.tileWidth} />
              </li>
            ))}
          </ul>
        )}
      </div>
      {adding && (
        <Suspense>
          <AddCamera onClose={() => setAdding(false)} />
        </Suspense>
      )}
    </main>
  );
}

function WallSkeleton() {
  return (
    <div className="wall-skeleton" aria-busy>
      <div className="skeleton" />
      <div className="skeleton" />
      <div className="skeleton" />
      <div className="skeleton" />
    </div>
  );
}
