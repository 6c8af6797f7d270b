import { Circle, Maximize, SlidersHorizontal } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { Camera } from '../../api/model';
import { useRecordingOf } from '../../api/queries';
import { useI18n } from '../../i18n';
import { useOnScreen, usePageVisible } from '../../lib/hooks';
import { dotOf, LivePicture } from '../../live/LivePicture';
import { type Live, useLive } from '../../live/useLive';
import { RecordDialog } from '../record/RecordDialog';
import { RecPill } from '../record/RecPill';
import { chosenMinutes, useStart } from '../record/useRecord';

/** Wider than this, the main stream is worth its bits. */
const MAIN_FROM = 720;
/** Narrower than this, a tile has room for a name and one button. */
const SMALL = 240;
const HIDDEN_GRACE_MS = 15_000;

export function Tile({ camera, width }: { camera: Camera; width: number }) {
  const i18n = useI18n();
  const { t } = i18n;
  const [, navigate] = useLocation();
  const root = useRef<HTMLElement>(null);
  const [dialog, setDialog] = useState(false);
  const [full, setFull] = useState(false);
  const onScreen = useOnScreen(root);
  const visible = usePageVisible(HIDDEN_GRACE_MS);
  const stream = camera.secondary_stream_url && width < MAIN_FROM && !full ? 'sub' : 'main';
  const live = useLive(camera.id, stream, camera.enabled && onScreen && visible);
  const session = useRecordingOf(camera.id);
  const start = useStart(camera);
  const dot = dotOf(i18n, camera, live.view);

  useEffect(() => {
    const onChange = () => setFull(document.fullscreenElement === root.current);
    document.addEventListener('fullscreenchange', onChange);
    return () => document.removeEventListener('fullscreenchange', onChange);
  }, []);

  const open = () => navigate(`/cameras/${camera.id}`);
  const record = () => (session ? setDialog(true) : start.run(chosenMinutes.get()));
  const fullScreen = () =>
    void (document.fullscreenElement ? document.exitFullscreen() : root.current?.requestFullscreen?.());

  return (
    <article
      ref={root}
      className={`tile ${width < SMALL ? 'tile-small' : ''}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: tiles are reached by Tab and walked by arrows
      tabIndex={0}
      aria-label={`${camera.name}, ${dot.label}`}
      onKeyDown={(event) => {
        if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
        const key = event.key.toLowerCase();
        if (key === 'enter') open();
        else if (key === 'r') record();
        else if (key === 'f') fullScreen();
        else return;
        event.preventDefault();
      }}
    >
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: Enter on the tile does the same */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a larger target for the pointer only */}
      <div className="tile-picture" onClick={open}>
        <LivePicture camera={camera} stream={stream} live={live} muted compact={width < 360} />
      </div>
      <div className="tile-top">{session && <RecPill session={session} onClick={() => setDialog(true)} />}</div>
      <div className="tile-bar">
        <span className={`dot ${dot.className}`} title={dot.label} />
        <span className="tile-name">{camera.name}</span>
        <TileFacts live={live} />
        <span className="tile-tools">
          {!session && (
            <button
              type="button"
              className="tile-tool tile-tool-rec"
              aria-label={t('record.start_of', { camera: camera.name })}
              title={t('record.start')}
              disabled={start.busy}
              onClick={record}
            >
              <Circle size={16} fill="currentColor" aria-hidden />
            </button>
          )}
          <button
            type="button"
            className="tile-tool tile-tool-more"
            aria-label={t('record.options_of', { camera: camera.name })}
            title={t('record.options')}
            onClick={() => setDialog(true)}
          >
            <SlidersHorizontal size={16} aria-hidden />
          </button>
          <button
            type="button"
            className="tile-tool tile-tool-full"
            aria-label={t('action.fullscreen')}
            title={t('action.fullscreen')}
            onClick={fullScreen}
          >
            <Maximize size={16} aria-hidden />
          </button>
        </span>
      </div>
      {dialog && <RecordDialog camera={camera} onClose={() => setDialog(false)} />}
    </article>
  );
}

/** Bit rate and delay, measured here; seen on hover and focus. */
function TileFacts({ live }: { live: Live }) {
  const { t, format } = useI18n();
  const [facts, setFacts] = useState({ bitrate: 0, lag: 0 });
  useEffect(() => {
    const timer = setInterval(() => setFacts(live.measure()), 1000);
    return () => clearInterval(timer);
  }, [live.measure]);
  if (facts.bitrate === 0) return null;
  return (
    <span className="tile-facts">
      {format.bitrate(facts.bitrate)}
      {live.view?.mode === 'video' && <span title={t('fact.delay')}>{format.delay(facts.lag * 1000)}</span>}
    </span>
  );
}
