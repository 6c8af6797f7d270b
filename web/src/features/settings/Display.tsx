import { type Key, LANGUAGES, useI18n } from '../../i18n';
import { useStore } from '../../lib/store';
import { THEMES, type Theme, theme } from '../../lib/theme';
import { Segmented } from '../../ui';

const LANGUAGE_NAMES = { fr: 'Français', en: 'English' };
const THEME_NAMES: Record<Theme, Key> = { dark: 'theme.dark', light: 'theme.light', system: 'theme.system' };

export function Display() {
  const { t, language, setLanguage } = useI18n();
  const current = useStore(theme);
  return (
    <section className="card settings-card">
      <div className="settings-row">
        <h2>{t('settings.language')}</h2>
        <Segmented
          label={t('settings.language')}
          value={language}
          options={LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] }))}
          onChange={setLanguage}
        />
      </div>
      <div className="settings-row">
        <h2>{t('settings.theme')}</h2>
        <Segmented
          label={t('settings.theme')}
          value={current}
          options={THEMES.map((value) => ({ value, label: t(THEME_NAMES[value]) }))}
          onChange={theme.set}
        />
      </div>
    </section>
  );
}
