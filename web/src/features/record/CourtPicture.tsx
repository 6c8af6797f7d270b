import { VideoOff } from 'lucide-react';
import { useRef } from 'react';
import type { Camera, Terrain } from '../../api/model';
import { useCameras } from '../../api/queries';
import { useI18n } from '../../i18n';
import { useOnScreen, usePageVisible } from '../../lib/hooks';
import { LivePicture } from '../../live/LivePicture';
import { useLive } from '../../live/useLive';

const HIDDEN_GRACE_MS = 15_000;

/** The camera of a court, when there is one and the reader may see it. */
export const useCourtCamera = (terrain: Terrain): Camera | undefined =>
  useCameras().data?.find((camera) => camera.id === terrain.camera_id);

/** What a court looks like now. Moves only while it is looked at and not `paused`. */
export function CourtPicture({ terrain, paused, large }: { terrain: Terrain; paused?: boolean; large?: boolean }) {
  const { t } = useI18n();
  const camera = useCourtCamera(terrain);
  if (!camera) {
    return (
      <div className="court-nothing">
        <VideoOff size={20} aria-hidden />
        <span>{t(terrain.camera_id === null ? 'court.no_camera' : 'court.no_picture')}</span>
      </div>
    );
  }
  return <Moving camera={camera} paused={paused} large={large} />;
}

function Moving({ camera, paused, large }: { camera: Camera; paused?: boolean; large?: boolean }) {
  const root = useRef<HTMLDivElement>(null);
  const onScreen = useOnScreen(root);
  const visible = usePageVisible(HIDDEN_GRACE_MS);
  const stream = camera.secondary_stream_url && !large ? 'sub' : 'main';
  const live = useLive(camera.id, stream, camera.enabled && onScreen && visible && !paused);
  return (
    <div className="court-live" ref={root}>
      {!(paused && live.view === null) && (
        <LivePicture camera={camera} stream={stream} live={live} muted compact={!large} />
      )}
    </div>
  );
}
