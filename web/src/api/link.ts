// Whether what the screen shows can be believed: the state of the way to the server.
import { createStore } from '../lib/store';
import { ApiError } from './client';

export interface Link {
  /** The server answers. */
  reachable: boolean;
  /** The event stream is open; otherwise the page polls. */
  events: boolean;
  /** When the server last answered, epoch milliseconds. */
  heardAt: number;
}

export const link = createStore<Link>({ reachable: true, events: false, heardAt: Date.now() });

export function heard() {
  const now = Date.now();
  const { reachable, heardAt, events } = link.get();
  // Once a second is often enough for a badge.
  if (!reachable || now - heardAt > 1000) link.set({ reachable: true, events, heardAt: now });
}

export function failed(error: unknown) {
  if (error instanceof ApiError && error.status === 0) link.set({ ...link.get(), reachable: false });
  else heard();
}

export function setEvents(events: boolean) {
  if (link.get().events !== events) link.set({ ...link.get(), events });
}
