// What a tablet on a wall needs of the browser: a screen that stays on, corners that fade when nobody touches it.
import { useEffect, useState } from 'react';

/** Keeps the screen on while the page is seen. Needs HTTPS or this machine; elsewhere the tablet's own setting counts. */
export function useWakeLock() {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let over = false;
    const take = () => {
      if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
      navigator.wakeLock
        .request('screen')
        .then((taken) => {
          if (over) void taken.release();
          else lock = taken;
        })
        .catch(() => {
          // Refused on a low battery; the next time that the page is seen it is asked for again.
        });
    };
    take();
    document.addEventListener('visibilitychange', take);
    return () => {
      over = true;
      document.removeEventListener('visibilitychange', take);
      void lock?.release();
    };
  }, []);
}

/** Whether nobody has touched anything for that long. */
export function useIdle(afterMs: number): boolean {
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const awake = () => {
      setIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => setIdle(true), afterMs);
    };
    awake();
    const events = ['pointerdown', 'pointermove', 'keydown'] as const;
    for (const name of events) window.addEventListener(name, awake, { passive: true });
    return () => {
      clearTimeout(timer);
      for (const name of events) window.removeEventListener(name, awake);
    };
  }, [afterMs]);
  return idle;
}
