import { useCallback, useEffect, useRef, useState } from 'react';
import type { StreamName } from '../api/model';
import { LivePlayer, type PlayerMeasure, type PlayerView } from './player';
import { liveSocket } from './socket';

export interface Live {
  video: React.RefObject<HTMLVideoElement | null>;
  image: React.RefObject<HTMLImageElement | null>;
  view: PlayerView | null;
  measure: () => PlayerMeasure;
}

/** A player bound to a <video> and an <img> for as long as `active`. */
export function useLive(camera: number, stream: StreamName, active: boolean): Live {
  const video = useRef<HTMLVideoElement>(null);
  const image = useRef<HTMLImageElement>(null);
  const player = useRef<LivePlayer | null>(null);
  const [view, setView] = useState<PlayerView | null>(null);

  useEffect(() => {
    if (!active || !video.current || !image.current) return;
    const live = new LivePlayer(liveSocket(), camera, stream, video.current, image.current, setView);
    player.current = live;
    live.start();
    return () => {
      live.stop();
      player.current = null;
    };
  }, [camera, stream, active]);

  const measure = useCallback(() => player.current?.measure() ?? { bitrate: 0, lag: 0 }, []);
  return { video, image, view, measure };
}
