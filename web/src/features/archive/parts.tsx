// What lists of recordings show of each: a picture of it, and what is special about it.
import { Film, Flag, Scissors, Unplug } from 'lucide-react';
import { useRef, useState } from 'react';
import type { Video } from '../../api/model';
import { type Key, useI18n } from '../../i18n';
import { useOnScreen } from '../../lib/hooks';
import { fileUrl } from './playback';
import './parts.css';

const STATE_BADGES: Partial<Record<Video['state'], [Key, string]>> = {
  open: ['archive.recording', 'badge-red'],
  failed: ['archive.failed', 'badge-red'],
};

export function Badges({ video }: { video: Video }) {
  const { t, n } = useI18n();
  const state = STATE_BADGES[video.state];
  return (
    <>
      {state && <span className={`badge ${state[1]}`}>{t(state[0])}</span>}
      {video.kind === 'clip' && (
        <span className="badge">
          <Scissors size={12} aria-hidden />
          {t('archive.clip')}
        </span>
      )}
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
      {Boolean(video.markers) && (
        <span className="badge">
          <Flag size={12} aria-hidden />
          {n('archive.markers', video.markers ?? 0)}
        </span>
      )}
    </>
  );
}

/** The second second of the film, fetched only while the row is on the screen. */
export function Thumb({ video }: { video: Video }) {
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
