// Plays one recording, with its holes and markers on the timeline, and cuts a part out of it.
import { TriangleAlert } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useMarkers } from '../../api/courts';
import type { Video } from '../../api/model';
import { type Key, useI18n } from '../../i18n';
import { useKeys } from '../../lib/hooks';
import { Markers } from './Markers';
import { PartBar } from './PartBar';
import { PlayerControls } from './PlayerControls';
import {
  clipUrl,
  closedPart,
  faster,
  fileUrl,
  gapAt,
  gapMarks,
  loopOf,
  markerFrom,
  placed,
  WHOLE,
  withFrom,
  withTo,
} from './playback';
import './player.css';

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
  const { t } = useI18n();
  const root = useRef<HTMLDivElement>(null);
  const media = useRef<HTMLVideoElement>(null);
  const [paused, setPaused] = useState(true);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(video.duration_seconds);
  const [rate, setRate] = useState(1);
  const [muted, setMuted] = useState(false);
  const [broken, setBroken] = useState(false);
  const [part, setPart] = useState(WHOLE);
  const [loop, setLoop] = useState<{ from: number; to: number } | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  /** Where a marker is about to be set. */
  const [marking, setMarking] = useState<number | null>(null);
  const all = useMarkers(video.session_id).data;
  const frame = useFrameLength(media);
  const gaps = useMemo(() => gapMarks({ gaps: video.gaps, duration_seconds: length }), [video.gaps, length]);
  const markers = useMemo(
    () => placed(all ?? [], video.recording_id).filter((marker) => !hidden.has(marker.id)),
    [all, video.recording_id, hidden],
  );
  const hole = length > 0 ? gapAt(gaps, at / length) : undefined;
  const chosen = closedPart(part, length);

  const here = () => media.current?.currentTime ?? 0;
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
    seek(here() + frames * frame.current);
  };
  const jump = (direction: 1 | -1) => {
    const place = markerFrom(markers, here(), direction);
    if (place !== undefined) seek(place);
  };
  const fullScreen = () =>
    void (document.fullscreenElement ? document.exitFullscreen() : root.current?.requestFullscreen?.());
  const toggleLoop = () => setLoop(loop ? null : loopOf(part, markers, here(), length));
  const choose = (next: typeof part) => {
    setPart(next);
    if (loop) setLoop(loopOf(next, markers, here(), length));
  };

  useLoop(media, loop);
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
    s: () => setMuted((value) => !value),
    m: () => setMarking(here()),
    n: () => jump(1),
    p: () => jump(-1),
    i: () => choose(withFrom(part, here())),
    o: () => choose(withTo(part, here())),
    b: toggleLoop,
  });

  return (
    <div className="player-box">
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
          aria-label={video.terrain_name || video.camera_name}
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
        <PlayerControls
          {...{ at, length, paused, rate, muted, gaps, markers, part: chosen }}
          sound={Boolean(video.audio_codec)}
          looping={loop !== null}
          onSeek={seek}
          onToggle={toggle}
          onStep={step}
          onJump={jump}
          onSpeed={speed}
          onMute={() => setMuted(!muted)}
          onLoop={toggleLoop}
          onMark={() => setMarking(here())}
          onFullScreen={fullScreen}
        />
      </div>
      <PartBar
        part={part}
        chosen={chosen}
        href={chosen && clipUrl(video, chosen)}
        onFrom={() => choose(withFrom(part, here()))}
        onTo={() => choose(withTo(part, here()))}
        onClear={() => choose(WHOLE)}
      />
      <Markers
        video={video}
        markers={markers}
        at={at}
        marking={marking}
        onMarking={setMarking}
        here={here}
        onSeek={seek}
        onHide={(id, hide) =>
          setHidden((known) => {
            const next = new Set(known);
            if (hide) next.add(id);
            else next.delete(id);
            return next;
          })
        }
      />
    </div>
  );
}

/** Jumps back to the beginning of the part whenever its end is reached, picture-exact where the browser can. */
function useLoop(media: React.RefObject<HTMLVideoElement | null>, loop: { from: number; to: number } | null) {
  useEffect(() => {
    const video = media.current;
    if (!video || !loop) return;
    const keepIn = () => {
      if (video.currentTime >= loop.to - 0.02 || video.currentTime < loop.from - 0.5 || video.ended) {
        video.currentTime = loop.from;
        if (video.ended) void video.play().catch(() => undefined);
      }
    };
    let handle = 0;
    const each = () => {
      if (!video.paused) keepIn();
      handle = requestAnimationFrame(each);
    };
    handle = requestAnimationFrame(each);
    video.addEventListener('ended', keepIn);
    return () => {
      cancelAnimationFrame(handle);
      video.removeEventListener('ended', keepIn);
    };
  }, [media, loop]);
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
