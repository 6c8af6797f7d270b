// Capture sessions that this page opened. **What was opened here is closed here**, also when its recording ended by
// itself; what somebody else opened is left alone, and so is what runs.
import { ApiError, post } from './client';
import type { RecordMode, Session, StoppedRecording, Target } from './model';

const opened = remembered('vigie.sessions');

const close = (session: string) => post('/api/video/session/close', { session_id: session });

/** Opens a session for the court or camera (or takes ours that is open, `known` being those there are) and records. */
export async function startRecording(
  target: Target,
  minutes: number,
  known: Session[],
  mode?: RecordMode,
): Promise<string> {
  const answer = await post<{ session: { session_id: string } }>('/api/video/session/create', {
    ...target,
    reuse: true,
  });
  const id = answer.session.session_id;
  const ours = opened.has(id) || !known.some((session) => session.session_id === id);
  try {
    await post('/api/video/record/start', { session_id: id, duration_minutes: minutes, mode });
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

/** A set of words that outlives the page: a tablet that was reloaded still gives back what it opened. */
function remembered(key: string) {
  const storage = (() => {
    try {
      return globalThis.localStorage;
    } catch {
      // Storage may be forbidden.
      return undefined;
    }
  })();
  const words = new Set<string>();
  try {
    const stored: unknown = JSON.parse(storage?.getItem(key) ?? '[]');
    if (Array.isArray(stored)) for (const word of stored.slice(-50)) words.add(String(word));
  } catch {
    // Not ours; it is written over.
  }
  const save = () => {
    try {
      storage?.setItem(key, JSON.stringify([...words]));
    } catch {
      // The memory then lasts as long as the page.
    }
  };
  return {
    has: (word: string) => words.has(word),
    add: (word: string) => {
      words.add(word);
      save();
    },
    delete: (word: string) => {
      const known = words.delete(word);
      if (known) save();
      return known;
    },
  };
}
