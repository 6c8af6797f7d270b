// People: who may sign in, as what, for which club. An administrator of a club sees and manages its players.
import { KeyRound, MoreVertical, Pencil, Power, Search, Trash2, UserPlus, Users as UsersIcon } from 'lucide-react';
import { useState } from 'react';
import { adminActions, adminKeys, useAccounts, useClubs } from '../../api/admin';
import { tell } from '../../api/errors';
import type { Account } from '../../api/model';
import { queryClient, useAction } from '../../api/queries';
import { useMay, useUser } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { useNow } from '../../lib/hooks';
import { Button, Empty, Menu, Select, Skeleton } from '../../ui';
import { LoadFailed } from '../../ui/LoadFailed';
import { useToast } from '../../ui/toast';
import { DeleteAccount } from './DeleteAccount';
import { AddAccount, EditAccount } from './forms';
import { findPeople } from './people';
import { ResetPassword } from './ResetPassword';
import { ROLE_NAMES } from './roles';
import './users.css';

type Open = { what: 'add' } | { what: 'edit' | 'password' | 'delete'; account: Account };

export default function Users() {
  const { t, n } = useI18n();
  const accounts = useAccounts();
  const severalClubs = useMay('clubs');
  const clubs = useClubs(severalClubs).data ?? [];
  const [words, setWords] = useState('');
  const [club, setClub] = useState('');
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const shown = accounts.data && findPeople(accounts.data, { words, club });
  const add = (
    <Button tone="primary" onClick={() => setOpen({ what: 'add' })}>
      <UserPlus size={18} aria-hidden />
      {t(severalClubs ? 'users.add' : 'users.add_player')}
    </Button>
  );
  return (
    <section className="card settings-card">
      <header className="settings-head">
        <div>
          <h2>{t(severalClubs ? 'settings.users' : 'users.players')}</h2>
          <p className="small muted">{accounts.data ? n('users.count', accounts.data.length) : t('users.text')}</p>
        </div>
        {add}
      </header>
      {accounts.data && accounts.data.length > 1 && (
        <div className="settings-tools">
          <label className="search">
            <Search size={16} aria-hidden />
            <span className="sr-only">{t('users.search')}</span>
            <input
              className="input"
              type="search"
              placeholder={t('users.search')}
              value={words}
              onChange={(event) => setWords(event.target.value)}
            />
          </label>
          {clubs.length > 0 && (
            <Select
              label={t('users.club')}
              value={club}
              onChange={setClub}
              options={[
                { value: '', label: t('users.club.all') },
                ...clubs.map(({ id, name }) => ({ value: String(id), label: name })),
                { value: 'none', label: t('users.club.none') },
              ]}
            />
          )}
        </div>
      )}
      {accounts.isPending && <RowsSkeleton />}
      {accounts.isError && !accounts.data && <LoadFailed error={accounts.error} retry={accounts.refetch} />}
      {accounts.data?.length === 0 && (
        <Empty icon={<UsersIcon size={24} />} title={t('users.empty')} actions={add}>
          {t('users.empty.hint')}
        </Empty>
      )}
      {shown?.length === 0 && accounts.data && accounts.data.length > 0 && (
        <Empty
          icon={<Search size={24} />}
          title={t('users.none_found')}
          actions={
            <Button
              onClick={() => {
                setWords('');
                setClub('');
              }}
            >
              {t('users.show_all')}
            </Button>
          }
        />
      )}
      {shown && shown.length > 0 && (
        <ul className="people">
          {shown.map((account) => (
            <Person key={account.id} account={account} onOpen={(what) => setOpen({ what, account })} />
          ))}
        </ul>
      )}
      {open?.what === 'add' && <AddAccount clubs={clubs} onClose={close} />}
      {open?.what === 'edit' && <EditAccount account={open.account} clubs={clubs} onClose={close} />}
      {open?.what === 'password' && <ResetPassword account={open.account} onClose={close} />}
      {open?.what === 'delete' && <DeleteAccount account={open.account} onClose={close} />}
    </section>
  );
}

function Person({ account, onOpen }: { account: Account; onOpen: (what: 'edit' | 'password' | 'delete') => void }) {
  const { t, format } = useI18n();
  const me = useUser();
  const now = useNow(30_000);
  const enable = useEnable();
  const self = account.id === me.id;
  const name = account.username;
  return (
    <li className={account.enabled ? 'person' : 'person person-off'}>
      <span className="person-letter" aria-hidden>
        {name.slice(0, 1).toUpperCase()}
      </span>
      <div className="person-words">
        <span className="person-name">
          <strong>{name}</strong>
          {self && <span className="badge">{t('users.you')}</span>}
          {!account.enabled && <span className="badge badge-amber">{t('users.disabled')}</span>}
        </span>
        <span className="small muted">
          {[t(ROLE_NAMES[account.role]), account.club_name].filter(Boolean).join(' · ')}
        </span>
      </div>
      <span
        className="person-seen small muted"
        title={account.last_login_at ? format.dateTime(account.last_login_at) : undefined}
      >
        {account.last_login_at
          ? t('users.seen', { ago: format.relative(account.last_login_at, now) })
          : t('users.never_seen')}
      </span>
      <Menu label={t('users.actions_of', { name })} icon={<MoreVertical size={20} aria-hidden />}>
        {(close) => {
          const item = (run: () => void) => () => {
            close();
            run();
          };
          return (
            <>
              <button type="button" onClick={item(() => onOpen('edit'))}>
                <Pencil size={16} aria-hidden />
                {t('action.edit')}
              </button>
              {!self && (
                <>
                  <button type="button" onClick={item(() => onOpen('password'))}>
                    <KeyRound size={16} aria-hidden />
                    {t('users.reset')}
                  </button>
                  <button type="button" onClick={item(() => enable(account, !account.enabled))}>
                    <Power size={16} aria-hidden />
                    {t(account.enabled ? 'users.disable' : 'users.enable')}
                  </button>
                  <button type="button" className="danger" onClick={item(() => onOpen('delete'))}>
                    <Trash2 size={16} aria-hidden />
                    {t('action.delete')}
                  </button>
                </>
              )}
            </>
          );
        }}
      </Menu>
    </li>
  );
}

/** Lets an account in, or keeps it out: at once, with a way back. */
function useEnable(): (account: Account, enabled: boolean) => void {
  const i18n = useI18n();
  const { t } = i18n;
  const toast = useToast();
  const change = useAction(
    ({ account, enabled }: { account: Account; enabled: boolean }) =>
      adminActions.updateAccount(account.id, { enabled }),
    [adminKeys.accounts],
    {
      done: (_, { account, enabled }) =>
        toast({
          tone: 'good',
          text: t(enabled ? 'users.was_enabled' : 'users.was_disabled', { name: account.username }),
          action: { label: t('action.undo'), run: () => run(account, !enabled) },
        }),
      failed: (error) => toast({ tone: 'bad', text: sentence(tell(i18n, error)) }),
    },
  );
  const run = (account: Account, enabled: boolean) => {
    queryClient.setQueryData<Account[]>(adminKeys.accounts, (list) =>
      list?.map((known) => (known.id === account.id ? { ...known, enabled } : known)),
    );
    change.mutate({ account, enabled });
  };
  return run;
}

const sentence = ({ title, hint }: { title: string; hint?: string }) => (hint ? `${title}. ${hint}` : title);

function RowsSkeleton() {
  return (
    <div className="people" aria-busy>
      {[0, 1, 2].map((row) => (
        <div key={row} className="person">
          <Skeleton height={36} width="36px" round />
          <div className="person-words">
            <Skeleton height={16} width="40%" />
            <Skeleton height={12} width="60%" />
          </div>
        </div>
      ))}
    </div>
  );
}
