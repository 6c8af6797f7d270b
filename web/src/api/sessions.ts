// Capture sessions that this page opened. **What was opened here is closed here**, also when its recording ended by
// itself; what somebody else opened is left alone, and so is what runs.
import { ApiError, post } from './client';
import type { Session, StoppedRecording } from './model';

const opened = new Set<string>();

const close = (session: string) => post('/api/video/session/close', { session_id: session });

/** Opens a session for the camera (or takes ours that is open, `known` being those there are) and records. */
export async function startRecording(cameraId: number, minutes: number, known: Session[]): Promise<string> {
  const answer = await post<{ session: { session_id: string } }>('/api/video/session/create', {
    camera_id: cameraId,
    reuse: true,
  });
  const id = answer.session.session_id;
  const ours = opened.has(id) || !known.some((session) => session.session_id === id);
  try {
    await post('/api/video/record/start', { session_id: id, duration_minutes: minutes });
  } catch (error) {
    if (ours) {
      opened.delete(id);
      await close(id).catch(() => undefined);
    }
    throw error;
  }
  if (ours) opened.add(id);
  return id;
}

/** Stops, and gives the camera back. */
export async function stopRecording(session: string): Promise<StoppedRecording> {
  const ours = opened.delete(session);
  try {
    const result = await post<StoppedRecording>('/api/video/record/stop', { session_id: session });
    await close(session).catch(() => undefined);
    return result;
  } catch (error) {
    if (ours) opened.add(session);
    throw error;
  }
}

/** Closes those of `sessions` that were opened here and record no more. */
export async function closeFinished(sessions: Session[]): Promise<void> {
  const finished = sessions.filter((session) => !session.recording_active && opened.delete(session.session_id));
  await Promise.all(
    finished.map(({ session_id: id }) =>
      close(id).catch((error: unknown) => {
        // The list was old, or the server is away: the next list decides. Any other answer means that it is gone.
        if (!(error instanceof ApiError) || error.status === 0 || error.status === 409 || error.status >= 500) {
          opened.add(id);
        }
      }),
    ),
  );
}
