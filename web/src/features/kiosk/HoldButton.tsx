import { type ReactNode, useEffect, useRef, useState } from 'react';

interface Props {
  label: string;
  busy: boolean;
  disabled?: boolean;
  onHeld: () => void;
  /** It was let go too early: the moment to say how it works. */
  onShort: () => void;
  children: ReactNode;
}

/** Long enough for a ball that hits the tablet, short enough for a person. */
export const HOLD_MS = 1200;
/** Who presses a key twice within this means it. */
const TWICE_MS = 4000;

/** A button that works only when it is held; by keyboard, when it is pressed twice. */
export function HoldButton({ label, busy, disabled, onHeld, onShort, children }: Props) {
  const [holding, setHolding] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const pressedAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => () => clearTimeout(timer.current), []);
  const begin = () => {
    if (busy || disabled) return;
    setHolding(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      setHolding(false);
      onHeld();
    }, HOLD_MS);
  };
  const end = (early: boolean) => {
    if (holding && early) onShort();
    setHolding(false);
    clearTimeout(timer.current);
  };
  return (
    <button
      type="button"
      className={`kiosk-big kiosk-stop ${holding ? 'kiosk-holding' : ''}`}
      style={{ '--hold': `${HOLD_MS}ms` } as React.CSSProperties}
      aria-label={label}
      aria-busy={busy || undefined}
      disabled={busy || disabled}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture?.(event.pointerId);
        begin();
      }}
      onPointerUp={() => end(true)}
      onPointerCancel={() => end(false)}
      onContextMenu={(event) => event.preventDefault()}
      onClick={(event) => {
        // Pointers were dealt with above; this is the keyboard, or a screen reader.
        if (event.detail !== 0) return;
        if (event.timeStamp - pressedAt.current < TWICE_MS) onHeld();
        else onShort();
        pressedAt.current = event.timeStamp;
      }}
    >
      {children}
    </button>
  );
}
