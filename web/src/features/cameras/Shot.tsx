import { Video } from 'lucide-react';
import { useState } from 'react';
import type { Camera } from '../../api/model';
import { useNow } from '../../lib/hooks';
import './shot.css';

const SHOT_EVERY_MS = 10_000;

/**
 * A small still of a camera that is running anyway. Only where somebody chooses among cameras does it `wake` those that
 * rest: a list must not start them all.
 */
export function Shot({ camera, wake }: { camera: Camera | undefined; wake?: boolean }) {
  const [broken, setBroken] = useState(false);
  const tick = Math.floor(useNow(SHOT_EVERY_MS).getTime() / SHOT_EVERY_MS);
  const state = camera?.streams[0]?.state;
  const shows = state === 'live' || (wake && camera?.enabled && (state === 'idle' || state === 'connecting'));
  return (
    <div className="camera-shot">
      {camera && shows && !broken ? (
        <img
          src={`/api/cameras/${camera.id}/snapshot.jpg?width=320&t=${tick}`}
          alt=""
          loading="lazy"
          onError={() => setBroken(true)}
        />
      ) : (
        <Video size={20} aria-hidden />
      )}
    </div>
  );
}
