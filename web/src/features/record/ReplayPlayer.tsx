// The last seconds once more: slowly, over and over, until somebody has seen enough.
import { StepBack, StepForward, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { Clip } from '../../api/model';
import { useI18n } from '../../i18n';
import { Button, IconButton, Segmented } from '../../ui';

const SPEEDS = [0.25, 0.5, 1] as const;
const SLOW = 0.5;
const FRAME_SECONDS = 1 / 25;
/** A clip is written the moment it is asked for; a browser that was faster asks again. */
const TRIES = 4;
const AGAIN_MS = 400;

interface Props {
  clip: Pick<Clip, 'recording_id' | 'session_id' | 'duration_seconds'>;
  onClose: () => void;
  /** Leaves by itself after the clip was shown that often. */
  times?: number;
}

export function ReplayPlayer({ clip, onClose, times }: Props) {
  const { t, format } = useI18n();
  const media = useRef<HTMLVideoElement>(null);
  const [rate, setRate] = useState<number>(SLOW);
  const [tries, setTries] = useState(0);
  const shown = useRef(0);
  const [touched, setTouched] = useState(false);
  const broken = tries >= TRIES;

  useEffect(() => {
    if (media.current) media.current.playbackRate = rate;
  }, [rate]);

  const step = (frames: number) => {
    const video = media.current;
    if (!video) return;
    setTouched(true);
    video.pause();
    video.currentTime = Math.max(0, video.currentTime + frames * FRAME_SECONDS);
  };
  return (
    <div className="replay">
      <div className="replay-picture">
        <video
          key={tries}
          ref={media}
          src={clipSource(clip)}
          autoPlay
          muted
          playsInline
          aria-label={t('replay.title')}
          onLoadedMetadata={(event) => {
            event.currentTarget.playbackRate = rate;
          }}
          onClick={(event) => {
            setTouched(true);
            const video = event.currentTarget;
            if (video.paused) void video.play().catch(() => undefined);
            else video.pause();
          }}
          onEnded={(event) => {
            shown.current += 1;
            if (times !== undefined && shown.current >= times && !touched) return onClose();
            event.currentTarget.currentTime = 0;
            void event.currentTarget.play().catch(() => undefined);
          }}
          onError={() => setTimeout(() => setTries((count) => count + 1), AGAIN_MS)}
        />
        <span className="replay-badge">{t('replay.title')}</span>
        {broken && (
          <div className="live-message live-shade" role="alert">
            <p>
              <strong>{t('replay.broken')}</strong>
            </p>
          </div>
        )}
      </div>
      <div className="replay-bar">
        <IconButton label={t('player.frame_back')} onClick={() => step(-1)}>
          <StepBack size={20} aria-hidden />
        </IconButton>
        <Segmented
          label={t('player.speed')}
          value={rate}
          options={SPEEDS.map((value) => ({ value: value as number, label: `${format.number(value, 2)}×` }))}
          onChange={(value) => {
            setTouched(true);
            setRate(value);
          }}
        />
        <IconButton label={t('player.frame_on')} onClick={() => step(1)}>
          <StepForward size={20} aria-hidden />
        </IconButton>
        <Button className="replay-close" onClick={onClose}>
          <X size={18} aria-hidden />
          {t('replay.close')}
        </Button>
      </div>
    </div>
  );
}

function clipSource(clip: Props['clip']): string {
  return `/api/video/files/${encodeURIComponent(clip.session_id)}/download?recording_id=${clip.recording_id}&inline=1`;
}
