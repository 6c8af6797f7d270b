// Making and changing accounts.
import { useState } from 'react';
import { Link } from 'wouter';
import { adminActions, adminKeys } from '../../api/admin';
import { ApiError } from '../../api/client';
import { tell, tellField } from '../../api/errors';
import type { Account, Club, Role } from '../../api/model';
import { useAction } from '../../api/queries';
import { useUser } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { Button, Dialog, Field, Notice, Select } from '../../ui';
import { useToast } from '../../ui/toast';
import { PasswordChoice } from './PasswordChoice';
import { PasswordOnce } from './PasswordOnce';
import { givableRoles } from './people';
import { needsClub, ROLE_HINTS, ROLE_NAMES } from './roles';

const LONGEST_NAME = 64;

export function AddAccount({ clubs, onClose }: { clubs: Club[]; onClose: () => void }) {
  const { t } = useI18n();
  const me = useUser();
  const several = me.role === 'SUPER_ADMIN';
  const [username, setUsername] = useState('');
  const [role, setRole] = useState<Role>('PLAYER');
  const [club, setClub] = useState(clubs.length === 1 ? String(clubs[0]?.id) : '');
  const [password, setPassword] = useState<string | null>(null);
  const create = useAction(adminActions.createAccount, [adminKeys.accounts, adminKeys.clubs]);
  if (create.data) {
    const { user, password: made } = create.data;
    return <PasswordOnce username={user.username} password={made ?? password ?? ''} fresh onClose={onClose} />;
  }
  const clubId = several ? (club === '' ? null : Number(club)) : (me.club_id ?? null);
  const complete =
    username.trim() !== '' && (!needsClub(role) || clubId !== null) && (password === null || password !== '');
  return (
    <Dialog
      narrow
      title={t(several ? 'users.add' : 'users.add_player')}
      onClose={onClose}
      onSubmit={() =>
        complete &&
        create.mutate({
          username: username.trim(),
          role,
          club_id: needsClub(role) ? clubId : null,
          password: password ?? undefined,
        })
      }
      foot={
        <Button tone="primary" type="submit" busy={create.isPending} disabled={!complete}>
          {t('users.create')}
        </Button>
      }
    >
      <Refusal error={create.error} />
      <NameField value={username} onChange={setUsername} error={create.error} autoFocus />
      <RoleFields
        clubs={clubs}
        role={role}
        club={club}
        onRole={setRole}
        onClub={setClub}
        roles={givableRoles(me.role)}
      />
      <PasswordChoice value={password} onChange={setPassword} error={create.error} />
    </Dialog>
  );
}

export function EditAccount({ account, clubs, onClose }: { account: Account; clubs: Club[]; onClose: () => void }) {
  const { t } = useI18n();
  const me = useUser();
  const toast = useToast();
  const [username, setUsername] = useState(account.username);
  const [role, setRole] = useState(account.role);
  const [club, setClub] = useState(account.club_id === null ? '' : String(account.club_id));
  const save = useAction(
    () =>
      adminActions.updateAccount(account.id, {
        username: username.trim() === account.username ? undefined : username.trim(),
        role: role === account.role ? undefined : role,
        club_id: clubOf() === account.club_id ? undefined : clubOf(),
      }),
    [adminKeys.accounts, adminKeys.clubs],
    {
      done: () => {
        onClose();
        toast({ tone: 'good', text: t('users.saved', { name: username.trim() }) });
      },
    },
  );
  const clubOf = () => (needsClub(role) && club !== '' ? Number(club) : null);
  const complete = username.trim() !== '' && (!needsClub(role) || clubOf() !== null);
  return (
    <Dialog
      narrow
      title={t('users.edit_title', { name: account.username })}
      onClose={onClose}
      onSubmit={() => complete && save.mutate(undefined)}
      foot={
        <Button tone="primary" type="submit" busy={save.isPending} disabled={!complete}>
          {t('form.save')}
        </Button>
      }
    >
      <Refusal error={save.error} />
      <NameField value={username} onChange={setUsername} error={save.error} />
      <RoleFields
        clubs={clubs}
        role={role}
        club={club}
        onRole={setRole}
        onClub={setClub}
        roles={givableRoles(me.role)}
        own={account.id === me.id}
      />
    </Dialog>
  );
}

function NameField(props: {
  value: string;
  onChange: (name: string) => void;
  error: Error | null;
  autoFocus?: boolean;
}) {
  const { value, onChange, error, autoFocus } = props;
  const { t } = useI18n();
  const taken = error instanceof ApiError && error.code === 'duplicate_username';
  return (
    <Field
      label={t('signin.username')}
      error={taken ? t('error.duplicate_username') : tellField(error, 'username')}
      autoCapitalize="none"
      autoComplete="off"
      spellCheck={false}
      maxLength={LONGEST_NAME}
      autoFocus={autoFocus}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

interface RoleFieldsProps {
  clubs: Club[];
  role: Role;
  club: string;
  onRole: (role: Role) => void;
  onClub: (club: string) => void;
  roles: readonly Role[];
  own?: boolean;
}

/** Role and club; nothing where there is nothing to choose. */
function RoleFields({ clubs, role, club, onRole, onClub, roles, own }: RoleFieldsProps) {
  const { t } = useI18n();
  if (roles.length === 1) return null;
  return (
    <>
      <Select
        label={t('settings.role')}
        hint={t(own ? 'users.own_role' : ROLE_HINTS[role])}
        disabled={own}
        value={role}
        onChange={onRole}
        options={roles.map((value) => ({ value, label: t(ROLE_NAMES[value]) }))}
      />
      {needsClub(role) &&
        (clubs.length === 0 ? (
          <Notice tone="plain" title={t('users.club.none_yet')}>
            <Link href="/settings/clubs">{t('users.club.add_first')}</Link>
          </Notice>
        ) : (
          <Select
            label={t('users.club')}
            value={club}
            onChange={onClub}
            options={[
              ...(club === '' ? [{ value: '', label: t('users.club.choose') }] : []),
              ...clubs.map(({ id, name }) => ({ value: String(id), label: name })),
            ]}
          />
        ))}
    </>
  );
}

/** What was refused, unless it stands at its field. */
function Refusal({ error }: { error: Error | null }) {
  const i18n = useI18n();
  if (!error || isOfField(error)) return null;
  const told = tell(i18n, error);
  return <Notice title={told.title}>{told.hint}</Notice>;
}

const FIELDS = ['username', 'password'];
const isOfField = (error: Error) =>
  error instanceof ApiError &&
  (error.code === 'duplicate_username' ||
    error.code === 'weak_password' ||
    FIELDS.some((field) => tellField(error, field) !== undefined));
