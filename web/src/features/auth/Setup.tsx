import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../../api/client';
import { tell } from '../../api/errors';
import { actions, fetchIdentity, keys } from '../../api/queries';
import { useI18n } from '../../i18n';
import { useTitle } from '../../lib/hooks';
import { Button, Field, Notice, PasswordField } from '../../ui';
import { AuthFrame } from './AuthFrame';

const CODE_ERRORS = ['setup_code', 'setup_code_required'];
const SHORTEST_PASSWORD = 8;

export default function Setup({ codeRequired }: { codeRequired: boolean }) {
  const i18n = useI18n();
  const { t } = i18n;
  const client = useQueryClient();
  const [username, setUsername] = useState('admin');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  useTitle(t('setup.title'));
  const setup = useMutation({
    mutationFn: async () => {
      await actions.setup({ username, password, ...(code ? { code: code.trim() } : {}) });
      client.setQueryData(keys.me, await fetchIdentity());
    },
  });
  const codeWrong = setup.error instanceof ApiError && CODE_ERRORS.includes(setup.error.code);
  const told = setup.error && !codeWrong && tell(i18n, setup.error);
  return (
    <AuthFrame title={t('setup.title')} text={t('setup.text')} onSubmit={() => setup.mutate()}>
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <Field
        label={t('signin.username')}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        value={username}
        onChange={(event) => setUsername(event.target.value)}
      />
      <PasswordField
        label={t('setup.password')}
        hint={t('setup.password.hint')}
        autoComplete="new-password"
        autoFocus
        required
        minLength={SHORTEST_PASSWORD}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      {(codeRequired || codeWrong) && (
        <Field
          label={t('setup.code')}
          hint={t('setup.code.hint')}
          error={codeWrong && code ? t('setup.code.wrong') : undefined}
          autoComplete="one-time-code"
          autoCapitalize="characters"
          spellCheck={false}
          required
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
      )}
      <Button type="submit" tone="primary" className="btn-wide" busy={setup.isPending}>
        {t('setup.action')}
      </Button>
    </AuthFrame>
  );
}
