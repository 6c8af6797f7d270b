import { useI18n } from '../../i18n';
import { useKeys } from '../../lib/hooks';
import { useStore } from '../../lib/store';
import { plannedOf, progressOf } from '../record/courtState';
import { chosenMinutes, useElapsed } from '../record/useRecord';
import type { useVideoRecording } from '../record/useVideoRecording';
import { HoldButton } from './HoldButton';

interface Props {
  recording: ReturnType<typeof useVideoRecording>;
  offline: boolean;
  onSay: (text: string) => void;
}

/** The one button: starts with a touch, stops when it is held. */
export function KioskButton({ recording, offline, onSay }: Props) {
  const { t } = useI18n();
  const minutes = useStore(chosenMinutes);
  const { running } = recording;
  const start = () => recording.start(minutes);
  useKeys({
    r: () => {
      if (running) onSay(t('kiosk.hold_hint'));
      else if (recording.mayStart && !offline) start();
    },
  });
  if (running) return <Stop recording={recording} running={running} offline={offline} onSay={onSay} />;
  return (
    <button
      type="button"
      className="kiosk-big kiosk-start"
      disabled={!recording.mayStart || recording.starting || offline}
      aria-busy={recording.starting || undefined}
      onClick={start}
    >
      {recording.starting ? <span className="spinner" aria-hidden /> : <span className="record-dot" aria-hidden />}
      <span>{t('record.start')}</span>
    </button>
  );
}

const RADIUS = 92;

function Stop(props: Props & { running: NonNullable<Props['recording']['running']> }) {
  const { recording, running, offline, onSay } = props;
  const { t, format } = useI18n();
  const elapsed = useElapsed(running);
  const planned = plannedOf(running, recording.status);
  const percent = recording.status?.progress_percent ?? progressOf(elapsed, planned);
  const left = Math.max(0, planned - elapsed);
  const around = 2 * Math.PI * RADIUS;
  return (
    <HoldButton
      label={t('kiosk.hold')}
      busy={recording.stopping}
      disabled={offline}
      onHeld={recording.stop}
      onShort={() => onSay(t('kiosk.hold_hint'))}
    >
      <svg className="kiosk-ring" viewBox="0 0 200 200" aria-hidden>
        <circle cx="100" cy="100" r={RADIUS} className="kiosk-ring-back" />
        <circle
          cx="100"
          cy="100"
          r={RADIUS}
          className="kiosk-ring-left"
          strokeDasharray={around}
          strokeDashoffset={around * (percent / 100)}
        />
        <circle
          cx="100"
          cy="100"
          r={RADIUS}
          className="kiosk-ring-hold"
          strokeDasharray={around}
          strokeDashoffset={around}
        />
      </svg>
      <span className="kiosk-left">
        <strong role="timer">{format.clock(planned > 0 ? left : elapsed)}</strong>
        <small>{t(planned > 0 ? 'kiosk.left' : 'kiosk.elapsed')}</small>
        <span className="kiosk-hold-words">{t(recording.stopping ? 'kiosk.saving' : 'kiosk.hold')}</span>
      </span>
    </HoldButton>
  );
}
