// The small parts every screen is made of. They hold no words and no data.
import { AlertTriangle, Check, CircleAlert, Copy, Eye, EyeOff, X } from 'lucide-react';
import {
  type ButtonHTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { useI18n } from '../i18n';
import { copyText } from './clipboard';
import { useToast } from './toast';
import './ui.css';

type Tone = 'primary' | 'danger' | 'quiet';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  tone?: Tone;
  small?: boolean;
  icon?: boolean;
  busy?: boolean;
}

export function Button({ tone, small, icon, busy, className = '', children, disabled, ...rest }: ButtonProps) {
  const classes = ['btn', tone && `btn-${tone}`, small && 'btn-small', icon && 'btn-icon', className];
  return (
    <button
      type="button"
      {...rest}
      className={classes.filter(Boolean).join(' ')}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
    >
      {busy && <span className="spinner" aria-hidden />}
      {!(busy && icon) && children}
    </button>
  );
}

/** A button with a picture instead of a word; the word is its label and tooltip. */
export function IconButton({ label, ...rest }: Omit<ButtonProps, 'icon'> & { label: string }) {
  return <Button tone="quiet" icon aria-label={label} title={label} {...rest} />;
}

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: ReactNode;
  error?: string;
}

export function Field({ label, hint, error, className = '', ...input }: FieldProps) {
  const id = useId();
  const described = error ? `${id}-error` : hint ? `${id}-hint` : undefined;
  return (
    <div className={`field ${className}`}>
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      <input id={id} className="input" aria-invalid={Boolean(error)} aria-describedby={described} {...input} />
      {error ? (
        <p className="field-error" id={`${id}-error`}>
          {error}
        </p>
      ) : (
        hint && (
          <p className="field-hint" id={`${id}-hint`}>
            {hint}
          </p>
        )
      )}
    </div>
  );
}

export function PasswordField({ label, hint, error, ...input }: FieldProps) {
  const { t } = useI18n();
  const id = useId();
  const [shown, setShown] = useState(false);
  const toggle = t(shown ? 'action.hide_password' : 'action.show_password');
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      <div className="input-with-button">
        <input
          id={id}
          className="input"
          type={shown ? 'text' : 'password'}
          aria-invalid={Boolean(error)}
          aria-describedby={error || hint ? `${id}-hint` : undefined}
          {...input}
        />
        <IconButton label={toggle} aria-pressed={shown} onClick={() => setShown(!shown)}>
          {shown ? <EyeOff size={18} aria-hidden /> : <Eye size={18} aria-hidden />}
        </IconButton>
      </div>
      {(error || hint) && (
        <p className={error ? 'field-error' : 'field-hint'} id={`${id}-hint`}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

interface SelectProps<T extends string> {
  label: string;
  value: T;
  options: { value: T; label: string }[];
  onChange: (value: T) => void;
  hint?: ReactNode;
  disabled?: boolean;
  className?: string;
}

export function Select<T extends string>(props: SelectProps<T>) {
  const { label, value, options, onChange, hint, disabled, className = '' } = props;
  const id = useId();
  return (
    <div className={`field ${className}`}>
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      <select
        id={id}
        className="input"
        value={value}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.target.value as T)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      {hint && (
        <p className="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface SegmentedProps<T extends string | number> {
  label: string;
  value: T;
  options: { value: T; label: ReactNode; title?: string }[];
  onChange: (value: T) => void;
}

export function Segmented<T extends string | number>({ label, value, options, onChange }: SegmentedProps<T>) {
  return (
    <fieldset className="segmented" aria-label={label} style={{ margin: 0 }}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          aria-label={option.title}
          title={option.title}
          onClick={() => onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </fieldset>
  );
}

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  foot?: ReactNode;
  narrow?: boolean;
  /** With this, the dialog is a form and Enter submits. */
  onSubmit?: () => void;
}

export function Dialog({ title, onClose, children, foot, narrow, onSubmit }: DialogProps) {
  const { t } = useI18n();
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const form = useId();
  useLayoutEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    // Without a field to begin with, the dialog itself has the focus, not its close button.
    if (document.activeElement?.closest('.dialog-head')) dialog?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={ref}
      tabIndex={-1}
      className={`dialog ${narrow ? 'dialog-narrow' : ''}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onKeyDown={(event) => event.stopPropagation()}
      onPointerDown={(event) => {
        if (event.target === event.currentTarget && outside(event.currentTarget, event.clientX, event.clientY))
          onClose();
      }}
    >
      <header className="dialog-head">
        <h2 id={heading}>{title}</h2>
        <IconButton label={t('action.close')} onClick={onClose}>
          <X size={20} aria-hidden />
        </IconButton>
      </header>
      {onSubmit ? (
        <form
          id={form}
          style={{ display: 'contents' }}
          onSubmit={(event) => {
            event.preventDefault();
            onSubmit();
          }}
        >
          <div className="dialog-body">{children}</div>
          {foot && <footer className="dialog-foot">{foot}</footer>}
        </form>
      ) : (
        <>
          <div className="dialog-body">{children}</div>
          {foot && <footer className="dialog-foot">{foot}</footer>}
        </>
      )}
    </dialog>
  );
}

function outside(element: HTMLElement, x: number, y: number): boolean {
  const box = element.getBoundingClientRect();
  return x < box.left || x > box.right || y < box.top || y > box.bottom;
}

interface ConfirmProps {
  title: string;
  action: string;
  busy: boolean;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** Asks before something is lost; the text says what. */
export function Confirm({ title, action, busy, onConfirm, onClose, children }: ConfirmProps) {
  const { t } = useI18n();
  return (
    <Dialog
      title={title}
      narrow
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button tone="danger" busy={busy} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}

interface MenuProps {
  label: string;
  icon: ReactNode;
  children: (close: () => void) => ReactNode;
  small?: boolean;
}

/** A button that opens a short list of actions, placed by hand under (or above) it. */
export function Menu({ label, icon, children, small }: MenuProps) {
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => panel.current?.hidePopover();
  useEffect(() => {
    const element = panel.current;
    const place = (event: Event) => {
      if ((event as ToggleEvent).newState !== 'open' || !element || !button.current) return;
      const box = button.current.getBoundingClientRect();
      const { offsetWidth: width, offsetHeight: height } = element;
      element.style.left = `${Math.max(8, Math.min(box.right - width, innerWidth - width - 8))}px`;
      element.style.top = `${box.bottom + height + 8 < innerHeight ? box.bottom + 4 : Math.max(8, box.top - height - 4)}px`;
    };
    element?.addEventListener('toggle', place);
    return () => element?.removeEventListener('toggle', place);
  }, []);
  return (
    <>
      <button
        ref={button}
        type="button"
        className={`btn btn-quiet btn-icon ${small ? 'btn-small' : ''}`}
        aria-label={label}
        title={label}
        aria-haspopup="true"
        popoverTarget={id}
      >
        {icon}
      </button>
      <div ref={panel} id={id} className="menu" popover="auto">
        {children(close)}
      </div>
    </>
  );
}

export function Empty({
  icon,
  title,
  children,
  actions,
}: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="empty">
      <div className="empty-icon" aria-hidden>
        {icon}
      </div>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {actions && <div className="empty-actions">{actions}</div>}
    </div>
  );
}

/** A failure: the cause first, then the one thing to do. */
export function Notice({
  tone = 'bad',
  title,
  children,
}: {
  tone?: 'bad' | 'warn' | 'good' | 'plain';
  title: string;
  children?: ReactNode;
}) {
  const Icon = tone === 'good' ? Check : tone === 'warn' ? AlertTriangle : CircleAlert;
  return (
    <div className={`notice notice-${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      <Icon size={18} aria-hidden />
      <div>
        <strong>{title}</strong>
        {children}
      </div>
    </div>
  );
}

export function Skeleton({ height, width, round }: { height: number; width?: string; round?: boolean }) {
  return <div className="skeleton" style={{ height, width, borderRadius: round ? height : undefined }} aria-hidden />;
}

/** A text to take elsewhere. */
export function CopyField({ label, value, hint }: { label: string; value: string; hint?: string }) {
  const { t } = useI18n();
  const toast = useToast();
  const [done, setDone] = useState(false);
  const copy = async () => {
    if (await copyText(value)) {
      setDone(true);
      setTimeout(() => setDone(false), 1600);
    } else {
      toast({ tone: 'bad', text: t('copy.failed') });
    }
  };
  return (
    <div className="copy-row">
      <span className="field-label">{label}</span>
      <div className="copy">
        <code title={value}>{value}</code>
        <IconButton small label={t(done ? 'copy.done' : 'copy.action', { what: label })} onClick={() => void copy()}>
          {done ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
        </IconButton>
      </div>
      {hint && <p className="field-hint">{hint}</p>}
    </div>
  );
}
