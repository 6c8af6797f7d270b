import { adminActions, adminKeys } from '../../api/admin';
import { tell } from '../../api/errors';
import type { Terrain } from '../../api/model';
import { keys, useAction } from '../../api/queries';
import { useI18n } from '../../i18n';
import { Confirm, Notice } from '../../ui';
import { useToast } from '../../ui/toast';

export function DeleteCourt({ court, onClose }: { court: Terrain; onClose: () => void }) {
  const i18n = useI18n();
  const { t } = i18n;
  const toast = useToast();
  const name = court.name;
  const remove = useAction(
    () => adminActions.deleteTerrain(court.id),
    [adminKeys.terrains, adminKeys.clubs, keys.cameras],
    {
      done: () => {
        onClose();
        toast({ tone: 'good', text: t('clubs.court.deleted', { name }) });
      },
    },
  );
  const told = remove.error && tell(i18n, remove.error);
  return (
    <Confirm
      title={t('clubs.court.delete_title', { name })}
      action={t('clubs.court.delete')}
      busy={remove.isPending}
      onConfirm={() => remove.mutate(undefined)}
      onClose={onClose}
    >
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <p>{t('clubs.court.delete_text')}</p>
      <p className="muted">{t('clubs.court.delete_kept')}</p>
    </Confirm>
  );
}
