// Starting and stopping a recording, the same way from every place.
import { useQueryClient } from '@tanstack/react-query';
import { useLocation } from 'wouter';
import { tell } from '../../api/errors';
import type { Camera, Session, Target } from '../../api/model';
import { actions, keys, useAction, useSessions } from '../../api/queries';
import { useI18n } from '../../i18n';
import { useNow } from '../../lib/hooks';
import { createStoredStore } from '../../lib/store';
import { useToast } from '../../ui/toast';

export const PRESETS = [60, 90, 120] as const;
const ALLOWED = Array.from({ length: 720 }, (_, index) => index + 1);
/** The length chosen last, in minutes. */
export const chosenMinutes = createStoredStore<number>('vigie.minutes', 90, ALLOWED);

export function useStart(camera: Camera) {
  const i18n = useI18n();
  const { t, format } = i18n;
  const toast = useToast();
  const client = useQueryClient();
  // A court's camera records for its court, so that the court shows it and the club keeps it.
  const target: Target = camera.terrain_id ? { terrain_id: camera.terrain_id } : { camera_id: camera.id };
  const start = useAction(
    (minutes: number) => actions.startRecording(target, minutes),
    [keys.sessions, keys.terrains],
    {
      done: (session, minutes) => {
        // Shown at once; the server's list follows.
        client.setQueryData<Session[]>(keys.sessions, (list = []) => [
          ...list.filter((known) => known.session_id !== session),
          {
            session_id: session,
            camera_id: camera.id,
            terrain_id: camera.terrain_id,
            state: 'RECORDING',
            created_at: new Date().toISOString(),
            recording_active: true,
            elapsed_seconds: 0,
          },
        ]);
        toast({
          tone: 'good',
          text: t('record.started', { camera: camera.name, length: format.length(minutes * 60) }),
        });
      },
      failed: (error) => {
        const told = tell(i18n, error);
        toast({ tone: 'bad', text: [told.title, told.hint].filter(Boolean).join('. ') });
      },
    },
  );
  return { run: start.mutate, busy: start.isPending };
}

export function useStop(camera: Camera, stopped?: () => void) {
  const i18n = useI18n();
  const { t, format } = i18n;
  const toast = useToast();
  const [, navigate] = useLocation();
  const stop = useAction(
    (session: string) => actions.stopRecording(session),
    [keys.sessions, keys.videos, keys.terrains],
    {
      done: (result) => {
        stopped?.();
        toast({
          tone: 'good',
          lasts: 9000,
          text: t('record.saved', {
            camera: camera.name,
            length: format.length(result.duration_seconds),
            size: format.bytes(result.size_bytes),
          }),
          action: { label: t('record.watch'), run: () => navigate(`/archive/${result.recording_id}`) },
        });
      },
      failed: (error) => {
        const told = tell(i18n, error);
        toast({ tone: 'bad', text: [told.title, told.hint].filter(Boolean).join('. ') });
      },
    },
  );
  return { run: stop.mutate, busy: stop.isPending };
}

/** Seconds the session's recording has run, counted on between answers of the server. */
export function useElapsed(session: Session): number {
  const { dataUpdatedAt } = useSessions();
  const now = useNow(500);
  return Math.max(0, session.elapsed_seconds + (now.getTime() - dataUpdatedAt) / 1000);
}
