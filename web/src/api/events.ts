// The server's event stream. It says what changed; the queries then ask. While it is down they poll (queries.ts).
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { heard, setEvents } from './link';
import type { Camera } from './model';
import { keys } from './queries';

/** A refused stream (a restarting server, an expired sign-in that the next poll renews) is opened anew after this. */
const AGAIN_MS = 4000;

/** Listens while the component lives. */
export function useEventStream() {
  const client = useQueryClient();
  useEffect(() => {
    let source: EventSource;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const open = () => {
      source = listen(client);
      source.onopen = () => {
        setEvents(true);
        heard();
      };
      source.onerror = () => {
        setEvents(false);
        // The browser comes back by itself after a broken connection, but not after a refusal.
        if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS);
      };
    };
    open();
    return () => {
      clearTimeout(timer);
      setEvents(false);
      source.close();
    };
  }, [client]);
}

function listen(client: QueryClient): EventSource {
  const source = new EventSource('/api/events/stream');
  const on = (name: string, handle: (data: Record<string, unknown>) => void) =>
    source.addEventListener(name, (event: MessageEvent<string>) => {
      heard();
      try {
        handle(JSON.parse(event.data) as Record<string, unknown>);
      } catch {
        // Not for this version of the page; the next poll tells.
      }
    });
  on('camera', (data) => {
    const gone = data.deleted === true;
    if (!gone) {
      const camera = data as unknown as Camera;
      client.setQueryData<Camera[]>(keys.cameras, (list) =>
        list?.map((known) => (known.id === camera.id ? camera : known)),
      );
    }
    // What is gone is not asked for once more.
    void client.invalidateQueries({ queryKey: keys.cameras, exact: gone });
  });
  on('session', () => void client.invalidateQueries({ queryKey: keys.sessions }));
  on('recording', () => {
    void client.invalidateQueries({ queryKey: keys.sessions });
    void client.invalidateQueries({ queryKey: keys.videos });
  });
  on('resync', () => void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== keys.me[0] }));
  return source;
}
