import { LANGUAGES, useI18n } from '../../i18n';
import { Segmented } from '../../ui';

export function LanguageSwitch() {
  const { t, language, setLanguage } = useI18n();
  return (
    <Segmented
      label={t('settings.language')}
      value={language}
      options={LANGUAGES.map((value) => ({ value, label: value.toUpperCase(), title: nameOf(value) }))}
      onChange={setLanguage}
    />
  );
}

/** A language by its own name, as people look for it. */
function nameOf(language: string): string {
  return new Intl.DisplayNames([language], { type: 'language' }).of(language) ?? language;
}
