import './switch.css';

/** On or off, at once: the label says what it is, the state says how it is. */
export function Switch(props: { label: string; on: boolean; busy?: boolean; onChange: (on: boolean) => void }) {
  const { label, on, busy, onChange } = props;
  return (
    <button
      type="button"
      role="switch"
      className="switch"
      aria-checked={on}
      aria-label={label}
      title={label}
      disabled={busy}
      onClick={() => onChange(!on)}
    >
      <span aria-hidden />
    </button>
  );
}
