// The timeline and the buttons under a recording.
import {
  FlagTriangleRight,
  Maximize,
  Pause,
  Play,
  Repeat,
  SkipBack,
  SkipForward,
  StepBack,
  StepForward,
  Volume2,
  VolumeX,
} from 'lucide-react';
import { useI18n } from '../../i18n';
import { IconButton, Menu } from '../../ui';
import { type Mark, type PlacedMarker, SPEEDS } from './playback';

interface Props {
  at: number;
  length: number;
  paused: boolean;
  rate: number;
  muted: boolean;
  sound: boolean;
  looping: boolean;
  gaps: Mark[];
  markers: PlacedMarker[];
  part: { from: number; to: number } | null;
  onSeek: (seconds: number) => void;
  onToggle: () => void;
  onStep: (frames: number) => void;
  onJump: (direction: 1 | -1) => void;
  onSpeed: (rate: number) => void;
  onMute: () => void;
  onLoop: () => void;
  onMark: () => void;
  onFullScreen: () => void;
}

export function PlayerControls(props: Props) {
  const { at, length, paused, rate, muted, gaps, markers, part, looping } = props;
  const { t, format } = useI18n();
  const share = (seconds: number) => (length > 0 ? Math.min(100, (seconds / length) * 100) : 0);
  return (
    <div className="player-controls">
      <div className="player-line">
        {part && (
          <span
            className="player-part"
            style={{ left: `${share(part.from)}%`, width: `${share(part.to) - share(part.from)}%` }}
            aria-hidden
          />
        )}
        <input
          type="range"
          min={0}
          max={length || 1}
          step={0.04}
          value={Math.min(at, length)}
          aria-label={t('player.position')}
          aria-valuetext={format.clock(at)}
          style={{ '--played': `${share(at)}%`, '--holes': holesOf(gaps) } as React.CSSProperties}
          onChange={(event) => props.onSeek(Number(event.target.value))}
        />
        <div className="player-flags">
          {markers.map((marker, index) => {
            const label = marker.label || t('marker.unnamed', { number: format.number(index + 1) });
            return (
              <button
                key={marker.id}
                type="button"
                className="player-flag"
                style={{ left: `${share(marker.offset_seconds)}%` }}
                aria-label={t('marker.jump', { label })}
                title={`${label} · ${format.clock(marker.offset_seconds)}`}
                onClick={() => props.onSeek(marker.offset_seconds)}
              />
            );
          })}
        </div>
      </div>
      <div className="player-row">
        <IconButton label={t(paused ? 'player.play' : 'player.pause')} onClick={props.onToggle}>
          {paused ? (
            <Play size={20} fill="currentColor" aria-hidden />
          ) : (
            <Pause size={20} fill="currentColor" aria-hidden />
          )}
        </IconButton>
        <IconButton label={t('player.frame_back')} onClick={() => props.onStep(-1)}>
          <StepBack size={18} aria-hidden />
        </IconButton>
        <IconButton label={t('player.frame_on')} onClick={() => props.onStep(1)}>
          <StepForward size={18} aria-hidden />
        </IconButton>
        <span className="player-time">
          {format.clock(at)}
          <span> / {format.clock(length)}</span>
        </span>
        <span className="player-tools">
          {markers.length > 0 && (
            <>
              <IconButton label={t('marker.previous')} className="player-wide" onClick={() => props.onJump(-1)}>
                <SkipBack size={18} aria-hidden />
              </IconButton>
              <IconButton label={t('marker.next')} className="player-wide" onClick={() => props.onJump(1)}>
                <SkipForward size={18} aria-hidden />
              </IconButton>
            </>
          )}
          <IconButton label={t('marker.add')} onClick={props.onMark}>
            <FlagTriangleRight size={18} aria-hidden />
          </IconButton>
          <IconButton label={t('player.loop')} aria-pressed={looping} onClick={props.onLoop}>
            <Repeat size={18} aria-hidden />
          </IconButton>
          <Menu label={t('player.speed')} icon={<span className="player-speed">{format.number(rate, 2)}×</span>}>
            {(close) =>
              SPEEDS.map((value) => (
                <button
                  key={value}
                  type="button"
                  aria-pressed={value === rate}
                  onClick={() => {
                    props.onSpeed(value);
                    close();
                  }}
                >
                  {format.number(value, 2)}×
                </button>
              ))
            }
          </Menu>
          {props.sound && (
            <IconButton label={t(muted ? 'camera.unmute' : 'camera.mute')} onClick={props.onMute}>
              {muted ? <VolumeX size={18} aria-hidden /> : <Volume2 size={18} aria-hidden />}
            </IconButton>
          )}
          <IconButton label={t('action.fullscreen')} onClick={props.onFullScreen}>
            <Maximize size={18} aria-hidden />
          </IconButton>
        </span>
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
