import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { tell } from '../../api/errors';
import { actions, fetchIdentity, keys } from '../../api/queries';
import { useI18n } from '../../i18n';
import { useTitle } from '../../lib/hooks';
import { Button, Field, Notice, PasswordField } from '../../ui';
import { AuthFrame } from './AuthFrame';

export function SignIn() {
  const i18n = useI18n();
  const { t } = i18n;
  const client = useQueryClient();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  useTitle(t('signin.title'));
  const login = useMutation({
    mutationFn: async () => {
      await actions.login({ username, password });
      client.setQueryData(keys.me, await fetchIdentity());
    },
  });
  const told = login.error && tell(i18n, login.error);
  return (
    <AuthFrame title={t('signin.title')} onSubmit={() => login.mutate()}>
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <Field
        label={t('signin.username')}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
        required
        value={username}
        onChange={(event) => setUsername(event.target.value)}
      />
      <PasswordField
        label={t('signin.password')}
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Button type="submit" tone="primary" className="btn-wide" busy={login.isPending}>
        {t('signin.action')}
      </Button>
    </AuthFrame>
  );
}
