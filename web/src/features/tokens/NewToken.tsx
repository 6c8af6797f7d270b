import { useState } from 'react';
import { useClubs } from '../../api/admin';
import { tell } from '../../api/errors';
import { actions, keys, useAction } from '../../api/queries';
import { useMay, useUser } from '../../app/permissions';
import { type Key, useI18n } from '../../i18n';
import { dayKey } from '../../lib/format';
import { Button, CopyField, Dialog, Field, Notice, Select } from '../../ui';
import { needsClub, ROLE_HINTS, ROLE_NAMES, ROLES } from '../users/roles';
import { EXPIRIES, type Expiry, expiresAt } from './expiry';

const EXPIRY_NAMES: Record<Expiry, Key> = {
  never: 'tokens.expiry.never',
  '30': 'tokens.expiry.30',
  '90': 'tokens.expiry.90',
  '365': 'tokens.expiry.365',
  date: 'tokens.expiry.date',
};

export function NewToken({ onClose }: { onClose: () => void }) {
  const i18n = useI18n();
  const { t } = i18n;
  const mine = useUser().role;
  const severalClubs = useMay('clubs');
  const clubs = useClubs(severalClubs).data ?? [];
  const [name, setName] = useState('');
  const [role, setRole] = useState(mine);
  const [clubId, setClubId] = useState('');
  const [expiry, setExpiry] = useState<Expiry>('never');
  const [day, setDay] = useState('');
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
  const choosesClub = severalClubs && needsClub(role);
  const complete = name.trim() !== '' && (!choosesClub || clubId !== '') && (expiry !== 'date' || day !== '');
  return (
    <Dialog
      narrow
      title={t('tokens.create')}
      onClose={onClose}
      onSubmit={() =>
        create.mutate({
          name: name.trim(),
          role,
          read_only: readOnly,
          club_id: choosesClub ? Number(clubId) : undefined,
          expires_at: expiresAt(expiry, day, new Date()),
        })
      }
      foot={
        <Button tone="primary" type="submit" busy={create.isPending} disabled={!complete}>
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
      <Select
        label={t('tokens.role')}
        hint={t(ROLE_HINTS[role])}
        value={role}
        onChange={setRole}
        options={ROLES.slice(ROLES.indexOf(mine)).map((value) => ({ value, label: t(ROLE_NAMES[value]) }))}
      />
      {choosesClub && (
        <Select
          label={t('users.club')}
          hint={clubs.length === 0 ? t('users.club.none_yet') : undefined}
          value={clubId}
          onChange={setClubId}
          options={[
            { value: '', label: t('users.club.choose') },
            ...clubs.map((club) => ({ value: String(club.id), label: club.name })),
          ]}
        />
      )}
      <Select
        label={t('tokens.expiry')}
        value={expiry}
        onChange={setExpiry}
        options={EXPIRIES.map((value) => ({ value, label: t(EXPIRY_NAMES[value]) }))}
      />
      {expiry === 'date' && (
        <Field
          type="date"
          label={t('tokens.expiry.day')}
          min={dayKey(new Date())}
          value={day}
          onChange={(event) => setDay(event.target.value)}
        />
      )}
      <label className="check">
        <input type="checkbox" checked={readOnly} onChange={(event) => setReadOnly(event.target.checked)} />
        <span>{t('tokens.read_only')}</span>
      </label>
    </Dialog>
  );
}
