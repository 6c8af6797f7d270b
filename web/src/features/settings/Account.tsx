// One's own account: who one is, the password, the password of players.
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../../api/client';
import { tell } from '../../api/errors';
import { actions } from '../../api/queries';
import { useUser } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { Button, Confirm, CopyField, Notice, PasswordField } from '../../ui';
import { useToast } from '../../ui/toast';
import { ROLE_NAMES } from '../users/roles';

export function Account() {
  const { t } = useI18n();
  const user = useUser();
  return (
    <>
      <section className="card settings-card">
        <h2>{t('settings.you')}</h2>
        <dl className="settings-facts">
          <div>
            <dt>{t('signin.username')}</dt>
            <dd>{user.username}</dd>
          </div>
          <div>
            <dt>{t('settings.role')}</dt>
            <dd>{t(ROLE_NAMES[user.role])}</dd>
          </div>
          {user.club_name && (
            <div>
              <dt>{t('users.club')}</dt>
              <dd>{user.club_name}</dd>
            </div>
          )}
        </dl>
      </section>
      <ChangePassword />
      <StreamPassword />
    </>
  );
}

const SHORTEST_PASSWORD = 8;

function ChangePassword() {
  const i18n = useI18n();
  const { t } = i18n;
  const toast = useToast();
  const user = useUser();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: () => actions.changePassword({ current_password: current, new_password: next }),
    onSuccess: () => {
      setCurrent('');
      setNext('');
      toast({ tone: 'good', text: t('settings.password_changed') });
    },
  });
  const wrong = change.error instanceof ApiError && change.error.code === 'bad_credentials';
  const told = change.error && !wrong && tell(i18n, change.error);
  return (
    <form
      className="card settings-card"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate();
      }}
    >
      <h2>{t('settings.password')}</h2>
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <input type="hidden" name="username" autoComplete="username" value={user.username} readOnly />
      <div className="settings-pair">
        <PasswordField
          label={t('settings.password_current')}
          error={wrong ? t('settings.password_wrong') : undefined}
          autoComplete="current-password"
          required
          value={current}
          onChange={(event) => setCurrent(event.target.value)}
        />
        <PasswordField
          label={t('settings.password_new')}
          hint={t('setup.password.hint')}
          autoComplete="new-password"
          required
          minLength={SHORTEST_PASSWORD}
          value={next}
          onChange={(event) => setNext(event.target.value)}
        />
      </div>
      <div>
        <Button type="submit" busy={change.isPending} disabled={current === '' || next === ''}>
          {t('settings.password_action')}
        </Button>
      </div>
    </form>
  );
}

function StreamPassword() {
  const i18n = useI18n();
  const { t } = i18n;
  const [renewing, setRenewing] = useState(false);
  const show = useMutation({
    mutationFn: (renew: boolean) => actions.streamPassword(renew),
    onSuccess: () => setRenewing(false),
  });
  const told = show.error && tell(i18n, show.error);
  return (
    <section className="card settings-card">
      <h2>{t('settings.stream')}</h2>
      <p className="small muted">{t('settings.stream_text')}</p>
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      {show.data ? (
        <>
          <div className="settings-pair">
            <CopyField label={t('signin.username')} value={show.data.username} />
            <CopyField label={t('signin.password')} value={show.data.password} />
          </div>
          <div>
            <Button onClick={() => setRenewing(true)}>{t('settings.stream_renew')}</Button>
          </div>
        </>
      ) : (
        <div>
          <Button busy={show.isPending} onClick={() => show.mutate(false)}>
            {t('settings.stream_show')}
          </Button>
        </div>
      )}
      {renewing && (
        <Confirm
          title={t('settings.stream_renew_title')}
          action={t('settings.stream_renew')}
          busy={show.isPending}
          onClose={() => setRenewing(false)}
          onConfirm={() => show.mutate(true)}
        >
          <p>{t('settings.stream_renew_text')}</p>
        </Confirm>
      )}
    </section>
  );
}
