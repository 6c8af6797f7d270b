// The server's event stream. It says what changed; the queries then ask. While it is down they poll (queries.ts).
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { toCamera } from './adapt';
import { heard, setEvents } from './link';
import type { Camera } from './model';
import { keys } from './queries';

/** Listens while the component lives. */
export function useEventStream() {
  const client = useQueryClient();
  useEffect(() => {
    const source = new EventSource('/api/events/stream');
    source.onopen = () => {
      setEvents(true);
      heard();
    };
    source.onerror = () => setEvents(false);
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
      const raw = (data.camera ?? data) as Record<string, unknown>;
      if (typeof raw.id === 'number' && typeof raw.name === 'string' && !data.deleted) {
        const camera = toCamera(raw);
        client.setQueryData<Camera[]>(keys.cameras, (list) =>
          list?.some((known) => known.id === camera.id)
            ? list.map((known) => (known.id === camera.id ? camera : known))
            : list,
        );
      }
      // What is gone is not asked for once more.
      void client.invalidateQueries({ queryKey: keys.cameras, exact: data.deleted === true });
    });
    on('resync', () => void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== keys.me[0] }));
    on('session', () => void client.invalidateQueries({ queryKey: keys.sessions }));
    on('recording', () => {
      void client.invalidateQueries({ queryKey: keys.sessions });
      void client.invalidateQueries({ queryKey: keys.videos });
    });
    return () => {
      setEvents(false);
      source.close();
    };
  }, [client]);
}
