// One court, one very big button, the time that is left, the last point once more.
import { CircleCheck, Film, Maximize, RotateCcw, TriangleAlert, Undo2, WifiOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { ApiError } from '../../api/client';
import { useTerrains } from '../../api/courts';
import { tell } from '../../api/errors';
import { useEventStream } from '../../api/events';
import { link } from '../../api/link';
import type { Clip, Terrain, Video } from '../../api/model';
import { useTidySessions, useVideos } from '../../api/queries';
import { Mark } from '../../app/Mark';
import { useUser } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { useNow, useTitle } from '../../lib/hooks';
import { useStore } from '../../lib/store';
import { Button, Empty, IconButton, Segmented } from '../../ui';
import { Thumb } from '../archive/parts';
import { CourtPicture, useCourtCamera } from '../record/CourtPicture';
import { CourtWords } from '../record/CourtWords';
import { ReplayPlayer } from '../record/ReplayPlayer';
import { REPLAY_SECONDS } from '../record/RunningRecording';
import { chosenMinutes, PRESETS } from '../record/useRecord';
import { useVideoRecording } from '../record/useVideoRecording';
import '../record/record.css';
import '../record/dashboard.css';
import '../record/modal.css';
import { KioskButton } from './KioskButton';
import { LanguageSwitch } from './LanguageSwitch';
import { useIdle, useWakeLock } from './useKiosk';

const IDLE_MS = 12_000;

export function KioskScreen({ id }: { id: number }) {
  const i18n = useI18n();
  const { t } = i18n;
  const terrains = useTerrains();
  useEventStream();
  useTidySessions();
  useWakeLock();
  const terrain = terrains.data?.find((court) => court.id === id);
  useTitle(terrain?.name ?? t('kiosk.title'));
  if (terrain) return <Court terrain={terrain} />;
  if (terrains.isPending) {
    return (
      <div className="splash" aria-busy>
        <Mark size={48} />
      </div>
    );
  }
  const told = terrains.data ? { title: t('kiosk.gone'), hint: t('kiosk.gone.hint') } : tell(i18n, terrains.error);
  const away = terrains.error instanceof ApiError && terrains.error.status === 0;
  return (
    <main className="kiosk-gate">
      <Empty icon={away ? <WifiOff size={28} /> : <TriangleAlert size={28} />} title={told.title}>
        {away ? t('kiosk.trying') : told.hint}
      </Empty>
    </main>
  );
}

type Shown = Pick<Clip, 'recording_id' | 'session_id' | 'duration_seconds'>;
type Said = { tone: 'good' | 'bad'; text: string };

const SAID_MS = 7000;
/** A replay by itself: twice, then the court again. */
const REPLAY_TIMES = 2;

function Court({ terrain }: { terrain: Terrain }) {
  const i18n = useI18n();
  const { t } = i18n;
  const camera = useCourtCamera(terrain);
  const { reachable } = useStore(link);
  const idle = useIdle(IDLE_MS);
  const minutes = useStore(chosenMinutes);
  const [clip, setClip] = useState<Shown | null>(null);
  const [said, setSaid] = useState<Said | null>(null);
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(null), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const recording = useVideoRecording(terrain, {
    marked: (marked) => setClip(marked.clip),
    stopped: () => setSaid({ tone: 'good', text: t('kiosk.saved') }),
    failed: (error) => {
      const told = tell(i18n, error);
      setSaid({ tone: 'bad', text: [told.title, told.hint].filter(Boolean).join('. ') });
    },
  });
  const { state, running } = recording;
  return (
    <main className={`kiosk kiosk-${state.kind} ${idle ? 'kiosk-idle' : ''}`}>
      <header className="kiosk-head">
        <div>
          <h1>{terrain.name}</h1>
          <CourtWords state={state} camera={camera} />
        </div>
        <Corner />
      </header>
      <div className="kiosk-picture">
        {clip ? (
          <ReplayPlayer key={clip.recording_id} clip={clip} times={REPLAY_TIMES} onClose={() => setClip(null)} />
        ) : (
          <CourtPicture terrain={terrain} large />
        )}
        {running && !clip && <span className="kiosk-rec">{t('kiosk.rec')}</span>}
      </div>
      <div className="kiosk-side">
        <KioskButton recording={recording} offline={!reachable} onSay={(text) => setSaid({ tone: 'bad', text })} />
        {recording.mayStart && (
          <Segmented
            label={t('record.length')}
            value={minutes}
            options={PRESETS.map((value) => ({ value: value as number, label: i18n.format.minutes(value) }))}
            onChange={chosenMinutes.set}
          />
        )}
        <Replay recording={recording} offline={!reachable} />
        <div className="kiosk-say" role="status">
          {!reachable ? (
            <p className="kiosk-said kiosk-said-bad">
              <WifiOff size={20} aria-hidden />
              {t('kiosk.offline')}
            </p>
          ) : (
            said && (
              <p className={`kiosk-said kiosk-said-${said.tone}`}>
                {said.tone === 'good' ? <CircleCheck size={20} aria-hidden /> : <TriangleAlert size={20} aria-hidden />}
                {said.text}
              </p>
            )
          )}
        </div>
      </div>
      <LastClips terrain={terrain} onPlay={setClip} />
    </main>
  );
}

interface ReplayProps {
  recording: ReturnType<typeof useVideoRecording>;
  offline: boolean;
}

/** The last point once more, also of a game that nobody records: the court is then taken for that alone. */
function Replay({ recording, offline }: ReplayProps) {
  const { t } = useI18n();
  if (!recording.session) {
    if (!recording.mayStart) return null;
    return (
      <Button className="kiosk-only" busy={recording.opening} disabled={offline} onClick={recording.open}>
        {!recording.opening && <RotateCcw size={20} aria-hidden />}
        {t('kiosk.replay_only')}
      </Button>
    );
  }
  return (
    <>
      <Button
        className="kiosk-replay"
        busy={recording.marking}
        disabled={offline}
        onClick={() => recording.replay(REPLAY_SECONDS)}
      >
        {!recording.marking && <RotateCcw size={28} aria-hidden />}
        {t('kiosk.replay')}
      </Button>
      {!recording.running && (
        <Button
          tone="quiet"
          className="kiosk-only"
          busy={recording.releasing}
          disabled={offline}
          onClick={recording.release}
        >
          {t('kiosk.release')}
        </Button>
      )}
    </>
  );
}

function Corner() {
  const { t, format } = useI18n();
  const now = useNow(1000);
  const person = !useUser().terrain_id;
  return (
    <div className="kiosk-corner">
      <div className="kiosk-tools">
        <LanguageSwitch />
        <IconButton
          label={t('action.fullscreen')}
          onClick={() =>
            void (document.fullscreenElement
              ? document.exitFullscreen()
              : document.documentElement.requestFullscreen?.())
          }
        >
          <Maximize size={20} aria-hidden />
        </IconButton>
        {person && (
          <Link
            className="btn btn-quiet btn-icon"
            href="/record"
            aria-label={t('kiosk.leave')}
            title={t('kiosk.leave')}
          >
            <Undo2 size={20} aria-hidden />
          </Link>
        )}
      </div>
      <time className="kiosk-clock" dateTime={now.toISOString()}>
        {format.time(now)}
      </time>
    </div>
  );
}

const MOST_CLIPS = 6;

function LastClips({ terrain, onPlay }: { terrain: Terrain; onPlay: (clip: Shown) => void }) {
  const { t, format } = useI18n();
  const clips = (useVideos().data ?? [])
    .filter((video: Video) => video.kind === 'clip' && video.terrain_id === terrain.id && video.state === 'sealed')
    .slice(0, MOST_CLIPS);
  return (
    <section className="kiosk-clips" aria-label={t('kiosk.clips')}>
      <h2>
        <Film size={16} aria-hidden />
        {t('kiosk.clips')}
      </h2>
      {clips.length === 0 ? (
        <p className="small muted">{t('kiosk.clips.empty')}</p>
      ) : (
        <ul>
          {clips.map((clip) => (
            <li key={clip.recording_id}>
              <button
                type="button"
                aria-label={t('kiosk.clip_of', { time: format.time(clip.created_at) })}
                onClick={() => onPlay(clip)}
              >
                <Thumb video={clip} />
                <span>{format.time(clip.created_at)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
