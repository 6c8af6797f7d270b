// A recording on a court: opening the session, starting, stopping, keeping the last seconds. The same everywhere.
import { useQueryClient } from '@tanstack/react-query';
import { useLocation } from 'wouter';
import { ApiError } from '../../api/client';
import { courtActions, type Marked } from '../../api/courts';
import { tell } from '../../api/errors';
import type { Session, Terrain } from '../../api/model';
import { actions, keys, useAction, useRecordingStatus, useSessions } from '../../api/queries';
import { useUser } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { useToast } from '../../ui/toast';
import { courtState, mayStart } from './courtState';

interface Outcome {
  stopped?: (recording: number) => void;
  marked?: (marked: Marked) => void;
  /** Failures go here instead of into a message at the edge of the screen. */
  failed?: (error: Error) => void;
}

/** `watch` also asks for the state of the running recording, every 2 s. */
export function useVideoRecording(terrain: Terrain, { watch = true, ...outcome }: Outcome & { watch?: boolean } = {}) {
  const i18n = useI18n();
  const { t, format } = i18n;
  const toast = useToast();
  const client = useQueryClient();
  const me = useUser();
  const [, navigate] = useLocation();
  const sessions = useSessions().data ?? [];
  const state = courtState(terrain, sessions);
  const session = 'session' in state ? state.session : undefined;
  const running = session?.recording_active ? session : undefined;
  const status = useRecordingStatus(watch ? running?.session_id : undefined).data;

  const failed = (error: Error) => {
    if (outcome.failed) return outcome.failed(error);
    const told = tell(i18n, error);
    toast({ tone: 'bad', text: [told.title, told.hint].filter(Boolean).join('. ') });
  };

  const start = useAction(courtActions.start, [keys.sessions, keys.terrains], {
    done: (id, { minutes }) => {
      // Shown at once; the server's list follows.
      client.setQueryData<Session[]>(keys.sessions, (list = []) => [
        ...list.filter((known) => known.session_id !== id),
        {
          session_id: id,
          camera_id: terrain.camera_id,
          terrain_id: terrain.id,
          terrain_name: terrain.name,
          club_id: terrain.club_id,
          user_id: me.id,
          username: me.username,
          state: 'RECORDING',
          created_at: new Date().toISOString(),
          recording_active: true,
          elapsed_seconds: 0,
          duration_seconds: minutes * 60,
        },
      ]);
    },
    failed,
  });

  const stop = useAction(actions.stopRecording, [keys.sessions, keys.videos, keys.terrains], {
    done: (result) => {
      if (outcome.stopped) return outcome.stopped(result.recording_id);
      toast({
        tone: 'good',
        lasts: 9000,
        text: t('record.saved', {
          camera: terrain.name,
          length: format.length(result.duration_seconds),
          size: format.bytes(result.size_bytes),
        }),
        action: { label: t('record.watch'), run: () => navigate(`/record/videos/${result.recording_id}`) },
      });
    },
    failed: (error) => {
      // It ended by itself in the same moment: what was wanted has happened.
      if (error instanceof ApiError && error.code === 'not_recording') return;
      failed(error);
    },
  });

  const open = useAction(courtActions.open, [keys.sessions, keys.terrains], { failed });
  const release = useAction(courtActions.close, [keys.sessions, keys.terrains], { failed });

  const mark = useAction(courtActions.mark, [keys.videos, keys.markers(session?.session_id ?? '')], {
    done: (marked, wanted) => {
      if (wanted.clip && !marked.clip) {
        return failed(new ApiError(503, 'no_clip', marked.clip_error ?? ''));
      }
      outcome.marked?.(marked);
    },
    failed,
  });

  return {
    state,
    session,
    running,
    status,
    mayStart: mayStart(state),
    starting: start.isPending,
    stopping: stop.isPending,
    marking: mark.isPending,
    opening: open.isPending,
    releasing: release.isPending,
    start: (minutes: number) => {
      if (!start.isPending) start.mutate({ target: { terrain_id: terrain.id }, minutes, mode: 'auto' });
    },
    stop: () => {
      if (running && !stop.isPending) stop.mutate(running.session_id);
    },
    /** Takes the court without recording: from then on its last seconds are kept, and can be replayed. */
    open: () => {
      if (!session && !open.isPending) open.mutate({ terrain_id: terrain.id });
    },
    /** Gives back a court that is not recorded. */
    release: () => {
      if (session && !running && !release.isPending) release.mutate(session);
    },
    /** Keeps the last `seconds` as a clip. */
    replay: (seconds: number) => {
      if (session && !mark.isPending) mark.mutate({ session: session.session_id, seconds, clip: true });
    },
  };
}
