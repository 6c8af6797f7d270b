// A recording that runs: its picture, how far it is, the last seconds once more, stop.
import { CircleAlert, RotateCcw } from 'lucide-react';
import { useState } from 'react';
import type { Clip, Terrain } from '../../api/model';
import { useI18n } from '../../i18n';
import { Button, Notice } from '../../ui';
import { plannedOf, progressOf } from './courtState';
import { Progress } from './Progress';
import { ReplayPlayer } from './ReplayPlayer';
import { useDialogKey } from './useDialogKey';
import { useElapsed } from './useRecord';
import { useVideoRecording } from './useVideoRecording';
import { VideoPreview } from './VideoPreview';

/** What a point takes, with what led to it. */
export const REPLAY_SECONDS = 30;

export function RunningRecording({ terrain, onStopped }: { terrain: Terrain; onStopped: () => void }) {
  const { t, n, format } = useI18n();
  const [clip, setClip] = useState<Clip | null>(null);
  const recording = useVideoRecording(terrain, { marked: (marked) => setClip(marked.clip) });
  const { running, status } = recording;
  const stop = () => {
    recording.stop();
    onStopped();
  };
  useDialogKey('r', stop);
  if (!running) return null;
  return (
    <div className="record">
      {clip ? (
        <ReplayPlayer clip={clip} onClose={() => setClip(null)} />
      ) : (
        <VideoPreview terrain={terrain} session={running} />
      )}
      <RunningProgress percent={status?.progress_percent} planned={plannedOf(running, status)} session={running} />
      <p className="small muted running-facts">
        {status && format.bytes(status.size_bytes)}
        {status && status.bitrate_kbps > 0 && ` · ${format.bitrate(status.bitrate_kbps * 1000)}`}
        {running.username && ` · ${running.username}`}
      </p>
      {status && !status.source_connected && (
        <Notice tone="warn" title={t('record.no_source')}>
          {t('record.no_source.hint')}
        </Notice>
      )}
      {status && status.gaps > 0 && status.source_connected && (
        <p className="small record-gaps">
          <CircleAlert size={16} aria-hidden /> {n('record.gaps', status.gaps)}
        </p>
      )}
      <div className="running-buttons">
        <Button className="running-replay" busy={recording.marking} onClick={() => recording.replay(REPLAY_SECONDS)}>
          {!recording.marking && <RotateCcw size={18} aria-hidden />}
          {t('replay.action')}
        </Button>
        <Button className="record-button record-stop" busy={recording.stopping} onClick={stop}>
          {!recording.stopping && <span className="record-square" aria-hidden />}
          {t('record.stop')}
        </Button>
      </div>
    </div>
  );
}

type Running = NonNullable<ReturnType<typeof useVideoRecording>['running']>;

function RunningProgress({ session, percent, planned }: { session: Running; percent?: number; planned: number }) {
  const elapsed = useElapsed(session);
  return <Progress percent={percent ?? progressOf(elapsed, planned)} elapsed={elapsed} planned={planned} />;
}
