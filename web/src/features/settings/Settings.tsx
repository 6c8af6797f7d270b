// One's own account and habits, tokens for programs, and what is running here.
import { useMutation } from '@tanstack/react-query';
import { Info, KeyRound, Palette, Trash2, User } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { ApiError } from '../../api/client';
import { tell } from '../../api/errors';
import type { ApiToken, Role } from '../../api/model';
import { actions, keys, useAction, useServerHealth, useTokens, useVideoHealth } from '../../api/queries';
import { useMay, useUser } from '../../app/permissions';
import { type Key, LANGUAGES, useI18n } from '../../i18n';
import { useTitle } from '../../lib/hooks';
import { useStore } from '../../lib/store';
import { THEMES, type Theme, theme } from '../../lib/theme';
import { Button, Confirm, CopyField, Dialog, Empty, Field, Notice, PasswordField, Segmented, Skeleton } from '../../ui';
import { useToast } from '../../ui/toast';
import './settings.css';

const ROLE_NAMES: Record<Role, Key> = {
  SUPER_ADMIN: 'role.super_admin',
  CLUB_ADMIN: 'role.club_admin',
  PLAYER: 'role.player',
};

export default function Settings({ part }: { part: string }) {
  const { t } = useI18n();
  const tokens = useMay('tokens');
  const parts = [
    { id: 'account', label: t('settings.account'), icon: User, shown: true, page: <Account /> },
    { id: 'display', label: t('settings.display'), icon: Palette, shown: true, page: <Display /> },
    { id: 'tokens', label: t('settings.tokens'), icon: KeyRound, shown: tokens, page: <Tokens /> },
    { id: 'about', label: t('settings.about'), icon: Info, shown: true, page: <About /> },
  ].filter((entry) => entry.shown);
  const current = parts.find((entry) => entry.id === part) ?? parts[0];
  useTitle(t('nav.settings'));
  return (
    <main className="page settings">
      <header className="page-head">
        <h1>{t('nav.settings')}</h1>
      </header>
      <div className="settings-columns">
        <nav aria-label={t('nav.settings')}>
          <ul className="settings-parts">
            {parts.map(({ id, label, icon: Icon }) => (
              <li key={id}>
                <Link href={`/settings/${id}`} aria-current={id === current?.id ? 'page' : undefined}>
                  <Icon size={18} aria-hidden />
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="settings-page">{current?.page}</div>
      </div>
    </main>
  );
}

function Account() {
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

const LANGUAGE_NAMES = { fr: 'Français', en: 'English' };
const THEME_NAMES: Record<Theme, Key> = { dark: 'theme.dark', light: 'theme.light', system: 'theme.system' };

function Display() {
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

function Tokens() {
  const i18n = useI18n();
  const { t, format } = i18n;
  const toast = useToast();
  const tokens = useTokens();
  const [creating, setCreating] = useState(false);
  const [dropping, setDropping] = useState<ApiToken | null>(null);
  const drop = useAction((id: number) => actions.deleteToken(id), [keys.tokens], {
    done: () => {
      setDropping(null);
      toast({ tone: 'good', text: t('tokens.deleted') });
    },
    failed: (error) => toast({ tone: 'bad', text: tell(i18n, error).title }),
  });
  return (
    <section className="card settings-card">
      <div className="settings-row">
        <div>
          <h2>{t('settings.tokens')}</h2>
          <p className="small muted">
            {t('tokens.text')}{' '}
            <a href="/api/docs" target="_blank" rel="noreferrer">
              {t('tokens.docs')}
            </a>
          </p>
        </div>
        <Button onClick={() => setCreating(true)}>{t('tokens.create')}</Button>
      </div>
      {tokens.isPending && <Skeleton height={96} />}
      {tokens.isError && (
        <Notice title={tell(i18n, tokens.error).title}>
          <Button small onClick={() => void tokens.refetch()}>
            {t('action.retry')}
          </Button>
        </Notice>
      )}
      {tokens.data?.length === 0 && (
        <Empty icon={<KeyRound size={24} />} title={t('tokens.empty')}>
          {t('tokens.empty.hint')}
        </Empty>
      )}
      {tokens.data && tokens.data.length > 0 && (
        <ul className="token-list">
          {tokens.data.map((token) => (
            <li key={token.id}>
              <div>
                <strong>{token.name}</strong>
                <p className="small muted">
                  {t(token.read_only ? 'tokens.read_only' : ROLE_NAMES[token.role])} ·{' '}
                  {t('tokens.made', { date: format.dateTime(token.created_at) })}
                </p>
              </div>
              <Button
                tone="quiet"
                icon
                aria-label={t('tokens.delete_of', { name: token.name })}
                title={t('action.delete')}
                onClick={() => setDropping(token)}
              >
                <Trash2 size={18} aria-hidden />
              </Button>
            </li>
          ))}
        </ul>
      )}
      {creating && <NewToken onClose={() => setCreating(false)} />}
      {dropping && (
        <Confirm
          title={t('tokens.delete_title', { name: dropping.name })}
          action={t('action.delete')}
          busy={drop.isPending}
          onClose={() => setDropping(null)}
          onConfirm={() => drop.mutate(dropping.id)}
        >
          <p>{t('tokens.delete_text')}</p>
        </Confirm>
      )}
    </section>
  );
}

function NewToken({ onClose }: { onClose: () => void }) {
  const i18n = useI18n();
  const { t } = i18n;
  const role = useUser().role;
  const [name, setName] = useState('');
  const [readOnly, setReadOnly] = useState(true);
  const create = useAction(actions.createToken, [keys.tokens]);
  const told = create.error && tell(i18n, create.error);
  if (create.data) {
    return (
      <Dialog
        title={t('tokens.made_title')}
        onClose={onClose}
        foot={<Button onClick={onClose}>{t('action.done')}</Button>}
      >
        <Notice tone="warn" title={t('tokens.once')}>
          {t('tokens.once.hint')}
        </Notice>
        <CopyField label={t('tokens.token')} value={create.data.token} />
      </Dialog>
    );
  }
  return (
    <Dialog
      narrow
      title={t('tokens.create')}
      onClose={onClose}
      onSubmit={() => create.mutate({ name: name.trim(), role, read_only: readOnly })}
      foot={
        <Button tone="primary" type="submit" busy={create.isPending} disabled={name.trim() === ''}>
          {t('tokens.create')}
        </Button>
      }
    >
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <Field
        label={t('tokens.name')}
        placeholder={t('tokens.name_example')}
        autoFocus
        maxLength={80}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <label className="check">
        <input type="checkbox" checked={readOnly} onChange={(event) => setReadOnly(event.target.checked)} />
        <span>{t('tokens.read_only')}</span>
      </label>
    </Dialog>
  );
}

function About() {
  const { t, n, format } = useI18n();
  const health = useServerHealth();
  const video = useVideoHealth().data;
  const rows: [Key, string | null | undefined][] = [
    ['about.version', health.data?.version],
    [
      'about.uptime',
      typeof health.data?.uptime_seconds === 'number' ? format.length(health.data.uptime_seconds) : null,
    ],
    [
      'about.videos',
      video && `${n('archive.count', video.videos.count)} · ${format.bytes(video.videos.total_size_bytes)}`,
    ],
    [
      'about.disk',
      video &&
        t('about.disk_value', { free: format.bytes(video.disk.available), total: format.bytes(video.disk.total) }),
    ],
  ];
  return (
    <section className="card settings-card">
      <h2>Vigie</h2>
      <dl className="settings-facts">
        {rows.map(([key, value]) => (
          <div key={key}>
            <dt>{t(key)}</dt>
            <dd>{value ?? '–'}</dd>
          </div>
        ))}
      </dl>
      <p className="small">
        <a href="/api/docs" target="_blank" rel="noreferrer">
          {t('tokens.docs')}
        </a>
      </p>
    </section>
  );
}
