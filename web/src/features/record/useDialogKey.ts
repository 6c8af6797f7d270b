import { useEffect, useRef } from 'react';

/** A key inside a dialog, whose keys do not leave it. */
export function useDialogKey(key: string, run: () => void) {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = (event.target as HTMLElement | null)?.closest('input:not([type="radio"]), select, textarea');
      if (typing || event.key.toLowerCase() !== key || event.repeat) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener('keydown', onKey, { capture: true });
    return () => window.removeEventListener('keydown', onKey, { capture: true });
  }, [key]);
}
