import { ApiError } from '../../api/client';
import { tellField } from '../../api/errors';
import { useI18n } from '../../i18n';
import { PasswordField, Segmented } from '../../ui';

interface Props {
  /** `null`: the server makes one up. */
  value: string | null;
  onChange: (password: string | null) => void;
  error: Error | null;
}

/** A password that the server makes up, or one that somebody types. */
export function PasswordChoice({ value, onChange, error }: Props) {
  const { t } = useI18n();
  const weak = error instanceof ApiError && error.code === 'weak_password';
  return (
    <div className="field">
      <span className="field-label">{t('signin.password')}</span>
      <Segmented
        label={t('signin.password')}
        value={value === null ? 'made' : 'typed'}
        onChange={(choice) => onChange(choice === 'made' ? null : '')}
        options={[
          { value: 'made', label: t('users.password.made') },
          { value: 'typed', label: t('users.password.typed') },
        ]}
      />
      {value === null ? (
        <p className="field-hint">{t('users.password.made.hint')}</p>
      ) : (
        <PasswordField
          label={t('settings.password_new')}
          hint={t('setup.password.hint')}
          error={weak ? t('error.weak_password') : tellField(error, 'password')}
          autoComplete="new-password"
          minLength={8}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </div>
  );
}
