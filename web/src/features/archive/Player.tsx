// Plays one recording, with its holes on the timeline.
import { Maximize, Pause, Play, StepBack, StepForward, TriangleAlert, Volume2, VolumeX } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Video } from '../../api/model';
import { type Key, useI18n } from '../../i18n';
import { useKeys } from '../../lib/hooks';
import { IconButton, Menu } from '../../ui';
import { faster, fileUrl, gapAt, gapMarks, type Mark, SPEEDS } from './playback';

const CAUSES: Record<string, Key> = {
  source_lost: 'gap.source_lost',
  source_silent: 'gap.source_silent',
  packet_loss: 'gap.packet_loss',
  overrun: 'gap.overrun',
  format_change: 'gap.format_change',
  restart: 'gap.restart',
  disk: 'gap.disk',
};
const SKIP_SECONDS = 10;
const ARROW_SECONDS = 5;
const FRAME_SECONDS = 1 / 25;

export function Player({ video }: { video: Video }) {
  const { t, format } = useI18n();
  const root = useRef<HTMLDivElement>(null);
  const media = useRef<HTMLVideoElement>(null);
  const [paused, setPaused] = useState(true);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(video.duration_seconds);
  const [rate, setRate] = useState(1);
  const [muted, setMuted] = useState(false);
  const [broken, setBroken] = useState(false);
  const frame = useFrameLength(media);
  const marks = useMemo(() => gapMarks({ gaps: video.gaps, duration_seconds: length }), [video.gaps, length]);
  const hole = length > 0 ? gapAt(marks, at / length) : undefined;

  const seek = (seconds: number) => {
    if (!media.current) return;
    media.current.currentTime = Math.min(length, Math.max(0, seconds));
    setAt(media.current.currentTime);
  };
  const speed = (value: number) => {
    if (media.current) media.current.playbackRate = value;
  };
  const play = () => void media.current?.play().catch(() => undefined);
  const toggle = () => (media.current?.paused ? play() : media.current?.pause());
  const step = (frames: number) => {
    media.current?.pause();
    seek((media.current?.currentTime ?? 0) + frames * frame.current);
  };
  const fullScreen = () =>
    void (document.fullscreenElement ? document.exitFullscreen() : root.current?.requestFullscreen?.());
  const here = () => media.current?.currentTime ?? 0;

  useKeys({
    ' ': toggle,
    k: () => {
      media.current?.pause();
      speed(1);
    },
    j: () => seek(here() - SKIP_SECONDS),
    l: () => {
      if (media.current?.paused) play();
      else speed(faster(rate));
    },
    ',': () => step(-1),
    '.': () => step(1),
    arrowleft: () => seek(here() - ARROW_SECONDS),
    arrowright: () => seek(here() + ARROW_SECONDS),
    f: fullScreen,
    m: () => setMuted((value) => !value),
  });

  return (
    <div className="player" ref={root}>
      <video
        ref={media}
        className="player-video"
        src={fileUrl(video, true)}
        style={{ aspectRatio: video.width && video.height ? `${video.width} / ${video.height}` : '16 / 9' }}
        playsInline
        autoPlay
        muted={muted}
        preload="auto"
        aria-label={video.camera_name}
        onClick={toggle}
        onPlay={() => setPaused(false)}
        onPause={() => setPaused(true)}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        onRateChange={(event) => setRate(event.currentTarget.playbackRate)}
        onLoadedMetadata={(event) => {
          const { duration } = event.currentTarget;
          if (Number.isFinite(duration)) setLength(duration);
        }}
        onError={() => setBroken(true)}
      />
      {broken && (
        <div className="player-note" role="alert">
          <TriangleAlert size={20} aria-hidden />
          <p>{t('player.broken')}</p>
          <a className="btn" href={fileUrl(video, false)} download>
            {t('action.download')}
          </a>
        </div>
      )}
      {hole && !broken && (
        <div className="player-gap">
          <TriangleAlert size={16} aria-hidden />
          {t(CAUSES[hole.cause] ?? 'gap.source_lost')}
        </div>
      )}
      <div className="player-controls">
        <div className="player-line">
          <input
            type="range"
            min={0}
            max={length || 1}
            step={0.04}
            value={Math.min(at, length)}
            aria-label={t('player.position')}
            aria-valuetext={format.clock(at)}
            style={
              {
                '--played': `${length > 0 ? (at / length) * 100 : 0}%`,
                '--holes': holesOf(marks),
              } as React.CSSProperties
            }
            onChange={(event) => seek(Number(event.target.value))}
          />
        </div>
        <div className="player-row">
          <IconButton label={t(paused ? 'player.play' : 'player.pause')} onClick={toggle}>
            {paused ? (
              <Play size={20} fill="currentColor" aria-hidden />
            ) : (
              <Pause size={20} fill="currentColor" aria-hidden />
            )}
          </IconButton>
          <IconButton label={t('player.frame_back')} className="player-step" onClick={() => step(-1)}>
            <StepBack size={18} aria-hidden />
          </IconButton>
          <IconButton label={t('player.frame_on')} className="player-step" onClick={() => step(1)}>
            <StepForward size={18} aria-hidden />
          </IconButton>
          <span className="player-time">
            {format.clock(at)}
            <span> / {format.clock(length)}</span>
          </span>
          <Menu label={t('player.speed')} icon={<span className="player-speed">{format.number(rate, 2)}×</span>}>
            {(close) =>
              SPEEDS.map((value) => (
                <button
                  key={value}
                  type="button"
                  aria-pressed={value === rate}
                  onClick={() => {
                    speed(value);
                    close();
                  }}
                >
                  {format.number(value, 2)}×
                </button>
              ))
            }
          </Menu>
          {video.audio_codec && (
            <IconButton label={t(muted ? 'camera.unmute' : 'camera.mute')} onClick={() => setMuted(!muted)}>
              {muted ? <VolumeX size={18} aria-hidden /> : <Volume2 size={18} aria-hidden />}
            </IconButton>
          )}
          <IconButton label={t('action.fullscreen')} onClick={fullScreen}>
            <Maximize size={18} aria-hidden />
          </IconButton>
        </div>
      </div>
    </div>
  );
}

/** The holes as layers of the timeline's background; at least half a percent wide, so that none is missed. */
function holesOf(marks: Mark[]): string {
  const layers = marks.map(({ left, width }) => {
    const from = `${(left * 100).toFixed(2)}%`;
    const to = `${Math.min(100, (left + Math.max(width, 0.005)) * 100).toFixed(2)}%`;
    return `linear-gradient(90deg, transparent ${from}, var(--hole) ${from} ${to}, transparent ${to})`;
  });
  return layers.length > 0 ? layers.join(', ') : 'linear-gradient(transparent, transparent)';
}

/** Seconds of one picture, learnt from the pictures that are shown. */
function useFrameLength(media: React.RefObject<HTMLVideoElement | null>) {
  const length = useRef(FRAME_SECONDS);
  useEffect(() => {
    const video = media.current;
    if (!video || !('requestVideoFrameCallback' in video)) return;
    let last = 0;
    let handle = 0;
    let lessons = 0;
    const learn = (_: number, picture: VideoFrameCallbackMetadata) => {
      const step = picture.mediaTime - last;
      last = picture.mediaTime;
      if (step > 0.005 && step < 0.5) {
        length.current = lessons === 0 ? step : Math.min(length.current, step);
        lessons += 1;
      }
      if (lessons < 30) handle = video.requestVideoFrameCallback(learn);
    };
    handle = video.requestVideoFrameCallback(learn);
    return () => video.cancelVideoFrameCallback(handle);
  }, [media]);
  return length;
}
