import { useServerHealth, useVideoHealth } from '../../api/queries';

/** Below this share of the disk, somebody should tidy up. */
const LOW = 0.1;

/** How the machine that records does. */
export function useSystemHealth() {
  const video = useVideoHealth();
  const server = useServerHealth();
  const health = video.data;
  const disk = health?.disk;
  const left = disk && disk.total > 0 ? disk.available / disk.total : undefined;
  return {
    health,
    uptime: server.data?.uptime_seconds ?? undefined,
    /** Share of the disk that is free. */
    left,
    low: left !== undefined && left < LOW,
    full: health !== undefined && health.active_recordings >= health.max_concurrent_recordings,
    pending: video.isPending,
    error: video.data ? null : video.error,
    retry: video.refetch,
  };
}
