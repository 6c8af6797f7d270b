// A value outside React that components can watch.
import { useSyncExternalStore } from 'react';

export interface Store<T> {
  get: () => T;
  set: (value: T) => void;
  subscribe: (listener: () => void) => () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** A store that remembers its value in this browser. Never for secrets. */
export function createStoredStore<T extends string | number>(key: string, initial: T, allowed: readonly T[]): Store<T> {
  let start = initial;
  try {
    const stored = localStorage.getItem(key);
    start = allowed.find((value) => String(value) === stored) ?? initial;
  } catch {
    // Storage may be forbidden.
  }
  const store = createStore<T>(start);
  store.subscribe(() => {
    try {
      localStorage.setItem(key, String(store.get()));
    } catch {
      // The choice then lasts as long as the page.
    }
  });
  return store;
}
