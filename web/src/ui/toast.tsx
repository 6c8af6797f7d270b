// Short messages at the edge of the screen, with one action at most (undo, where something can be undone).
import { Check, CircleAlert, Info, X } from 'lucide-react';
import { createContext, type ReactNode, use, useCallback, useMemo, useRef, useState } from 'react';
import { useI18n } from '../i18n';

interface Toast {
  text: string;
  tone?: 'good' | 'bad' | 'plain';
  action?: { label: string; run: () => void };
  /** Milliseconds on the screen. */
  lasts?: number;
}

type Show = (toast: Toast) => void;
const Context = createContext<Show>(() => undefined);
export const useToast = () => use(Context);

const LASTS_MS = 5000;
const AT_MOST = 3;

export function ToastProvider({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const [shown, setShown] = useState<(Toast & { id: number })[]>([]);
  const next = useRef(1);

  const remove = useCallback((id: number) => setShown((list) => list.filter((toast) => toast.id !== id)), []);
  const show = useCallback<Show>(
    (toast) => {
      const id = next.current++;
      setShown((list) => [...list.slice(1 - AT_MOST), { ...toast, id }]);
      setTimeout(() => remove(id), toast.lasts ?? LASTS_MS);
    },
    [remove],
  );
  const value = useMemo(() => show, [show]);

  return (
    <Context value={value}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {shown.map((toast) => {
          const Icon = toast.tone === 'good' ? Check : toast.tone === 'bad' ? CircleAlert : Info;
          return (
            <div key={toast.id} className={`toast toast-${toast.tone ?? 'plain'}`}>
              <Icon size={18} aria-hidden />
              <p>{toast.text}</p>
              {toast.action && (
                <button
                  type="button"
                  className="btn btn-small"
                  onClick={() => {
                    toast.action?.run();
                    remove(toast.id);
                  }}
                >
                  {toast.action.label}
                </button>
              )}
              <button
                type="button"
                className="btn btn-quiet btn-icon btn-small"
                aria-label={t('action.close')}
                onClick={() => remove(toast.id)}
              >
                <X size={16} aria-hidden />
              </button>
            </div>
          );
        })}
      </div>
    </Context>
  );
}
