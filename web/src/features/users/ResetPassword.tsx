import { useState } from 'react';
import { adminActions, adminKeys } from '../../api/admin';
import { ApiError } from '../../api/client';
import { tell, tellField } from '../../api/errors';
import type { Account } from '../../api/model';
import { useAction } from '../../api/queries';
import { useI18n } from '../../i18n';
import { Button, Dialog, Notice } from '../../ui';
import { PasswordChoice } from './PasswordChoice';
import { PasswordOnce } from './PasswordOnce';

/** For somebody who forgot theirs. */
export function ResetPassword({ account, onClose }: { account: Account; onClose: () => void }) {
  const i18n = useI18n();
  const { t } = i18n;
  const [password, setPassword] = useState<string | null>(null);
  const reset = useAction(() => adminActions.resetPassword(account.id, password ?? undefined), [adminKeys.accounts]);
  const name = account.username;
  if (reset.data) {
    return <PasswordOnce username={name} password={reset.data.password ?? password ?? ''} onClose={onClose} />;
  }
  const ofField =
    tellField(reset.error, 'password') !== undefined ||
    (reset.error instanceof ApiError && reset.error.code === 'weak_password');
  const told = reset.error && !ofField ? tell(i18n, reset.error) : null;
  return (
    <Dialog
      narrow
      title={t('users.reset_title', { name })}
      onClose={onClose}
      onSubmit={() => password !== '' && reset.mutate(undefined)}
      foot={
        <>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button tone="primary" type="submit" busy={reset.isPending} disabled={password === ''}>
            {t('users.reset')}
          </Button>
        </>
      }
    >
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <p>{t('users.reset_text', { name })}</p>
      <PasswordChoice value={password} onChange={setPassword} error={reset.error} />
    </Dialog>
  );
}
