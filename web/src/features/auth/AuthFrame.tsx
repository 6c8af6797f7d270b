import type { ReactNode } from 'react';
import { Mark } from '../../app/Mark';
import { LANGUAGES, useI18n } from '../../i18n';
import './auth.css';

const OWN_NAMES = { fr: 'Français', en: 'English' };

/** The calm page around signing in and setting up. */
export function AuthFrame(props: { title: string; text?: string; onSubmit: () => void; children: ReactNode }) {
  const { t, language, setLanguage } = useI18n();
  return (
    <div className="auth">
      <main className="auth-main">
        <Mark size={44} />
        <h1>{props.title}</h1>
        {props.text && <p className="muted">{props.text}</p>}
        <form
          className="auth-form"
          onSubmit={(event) => {
            event.preventDefault();
            props.onSubmit();
          }}
        >
          {props.children}
        </form>
      </main>
      <footer className="auth-foot">
        <fieldset aria-label={t('settings.language')}>
          {LANGUAGES.map((code) => (
            <button
              key={code}
              type="button"
              lang={code}
              className="btn btn-quiet btn-small"
              aria-pressed={code === language}
              onClick={() => setLanguage(code)}
            >
              {OWN_NAMES[code]}
            </button>
          ))}
        </fieldset>
      </footer>
    </div>
  );
}
