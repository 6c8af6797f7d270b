// What the server says as it changes, over a WebSocket. It says what changed; the queries then ask. **While it is away
// they poll** (queries.ts), so nothing on the screen depends on it.
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { retryDelay } from '../live/socket';
import { heard, setEvents } from './link';
import type { Camera } from './model';
import { keys } from './queries';

interface Change {
  event: string;
  data: Record<string, unknown>;
}

/** Listens while the component lives. */
export function useEventStream() {
  const client = useQueryClient();
  useEffect(
    () =>
      listen(
        () => `${location.origin.replace(/^http/, 'ws')}/api/events/ws`,
        (change) => apply(client, change),
        // What happened in between was told to nobody.
        () => refreshAll(client),
      ),
    [client],
  );
}

/**
 * Keeps a socket open; the returned function ends it. `again` is called whenever one opens after another was lost, so
 * that what was missed can be asked for.
 */
export function listen(url: () => string, on: (change: Change) => void, again: () => void): () => void {
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let opened = false;
  let over = false;
  const open = () => {
    clearTimeout(timer);
    const current = new WebSocket(url());
    socket = current;
    current.onopen = () => {
      attempt = 0;
      setEvents(true);
      heard();
      if (opened) again();
      opened = true;
    };
    current.onmessage = (message: MessageEvent<unknown>) => {
      heard();
      const change = parse(message.data);
      if (change) on(change);
    };
    current.onclose = () => {
      if (socket !== current || over) return;
      socket = null;
      setEvents(false);
      timer = setTimeout(open, retryDelay(attempt++));
    };
  };
  // A network that comes back is not waited for.
  const hurry = () => {
    if (!socket) open();
  };
  globalThis.addEventListener?.('online', hurry);
  open();
  return () => {
    over = true;
    clearTimeout(timer);
    globalThis.removeEventListener?.('online', hurry);
    setEvents(false);
    socket?.close();
  };
}

/** One message; null when it is not one of ours (a newer server says more than this page knows). */
export function parse(text: unknown): Change | null {
  if (typeof text !== 'string') return null;
  try {
    const { event, data } = JSON.parse(text) as Partial<Change>;
    return typeof event === 'string' && typeof data === 'object' && data !== null ? { event, data } : null;
  } catch {
    return null;
  }
}

const refreshAll = (client: QueryClient) =>
  void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== keys.me[0] });

/** Makes the queries ask again that a change concerns. */
export function apply(client: QueryClient, { event, data }: Change) {
  const ask = (...stale: (readonly unknown[])[]) => {
    for (const queryKey of stale) void client.invalidateQueries({ queryKey });
  };
  switch (event) {
    case 'camera': {
      const gone = data.deleted === true;
      if (!gone) {
        const camera = data as unknown as Camera;
        client.setQueryData<Camera[]>(keys.cameras, (list) =>
          list?.map((known) => (known.id === camera.id ? camera : known)),
        );
      }
      // What is gone is not asked for once more.
      void client.invalidateQueries({ queryKey: keys.cameras, exact: gone });
      ask(keys.terrains);
      break;
    }
    case 'session':
      ask(keys.sessions, keys.terrains);
      break;
    case 'recording':
      ask(keys.sessions, keys.videos, keys.terrains);
      break;
    case 'marker':
      ask(typeof data.session_id === 'string' ? keys.markers(data.session_id) : ['markers'], keys.videos);
      break;
    case 'terrain':
      ask(keys.terrains, keys.cameras);
      break;
    case 'resync':
      refreshAll(client);
      break;
  }
}
