import { useI18n } from '../../i18n';
import { Button, CopyField, Dialog, Notice } from '../../ui';

interface Props {
  username: string;
  password: string;
  /** The account was made just now. */
  fresh?: boolean;
  onClose: () => void;
}

/** What somebody needs to sign in. The password is shown here and never again. */
export function PasswordOnce({ username, password, fresh, onClose }: Props) {
  const { t } = useI18n();
  return (
    <Dialog
      narrow
      title={t(fresh ? 'users.made_title' : 'users.reset_done_title', { name: username })}
      onClose={onClose}
      foot={
        <Button tone="primary" onClick={onClose}>
          {t('action.done')}
        </Button>
      }
    >
      <Notice tone="warn" title={t('users.once')}>
        {t('users.once.hint')}
      </Notice>
      <CopyField label={t('users.address')} value={location.origin} />
      <CopyField label={t('signin.username')} value={username} />
      <CopyField label={t('signin.password')} value={password} />
      <p className="field-hint">{t('users.change_later')}</p>
    </Dialog>
  );
}
