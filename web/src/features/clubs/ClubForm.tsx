import { useState } from 'react';
import { adminActions, adminKeys } from '../../api/admin';
import { ApiError } from '../../api/client';
import { tell, tellField } from '../../api/errors';
import type { Club } from '../../api/model';
import { useAction } from '../../api/queries';
import { useI18n } from '../../i18n';
import { Button, Dialog, Field, Notice, Select } from '../../ui';
import { useToast } from '../../ui/toast';
import { timeZones, zoneName } from './zones';

const LONGEST_NAME = 80;

export function ClubForm({ club, onClose }: { club?: Club; onClose: () => void }) {
  const i18n = useI18n();
  const { t } = i18n;
  const toast = useToast();
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const [name, setName] = useState(club?.name ?? '');
  const [timezone, setTimezone] = useState(club?.timezone ?? here);
  const save = useAction(
    () => {
      const body = { name: name.trim(), timezone };
      return club ? adminActions.updateClub(club.id, body) : adminActions.createClub(body);
    },
    [adminKeys.clubs, adminKeys.terrains, adminKeys.accounts],
    {
      done: (saved) => {
        onClose();
        toast({ tone: 'good', text: t(club ? 'camera.saved' : 'clubs.added', { name: saved.name }) });
      },
    },
  );
  const taken = save.error instanceof ApiError && save.error.code === 'duplicate_name';
  const ofName = taken ? t('error.duplicate_club') : tellField(save.error, 'name');
  const told = save.error && !ofName ? tell(i18n, save.error) : null;
  return (
    <Dialog
      narrow
      title={club ? t('clubs.edit_title', { name: club.name }) : t('clubs.add')}
      onClose={onClose}
      onSubmit={() => name.trim() !== '' && save.mutate(undefined)}
      foot={
        <Button tone="primary" type="submit" busy={save.isPending} disabled={name.trim() === ''}>
          {t(club ? 'form.save' : 'clubs.add')}
        </Button>
      }
    >
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <Field
        label={t('form.name')}
        placeholder={t('clubs.name_example')}
        error={ofName}
        autoFocus={!club}
        autoComplete="off"
        maxLength={LONGEST_NAME}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <Select
        label={t('clubs.timezone')}
        hint={t('clubs.timezone.hint')}
        value={timezone}
        onChange={setTimezone}
        options={timeZones(timezone).map((value) => ({ value, label: zoneName(value) }))}
      />
    </Dialog>
  );
}
