import { adminActions, adminKeys } from '../../api/admin';
import { tell } from '../../api/errors';
import type { Club, Terrain } from '../../api/model';
import { keys, useAction } from '../../api/queries';
import { useI18n } from '../../i18n';
import { Button, Confirm, Dialog, Notice } from '../../ui';
import { useToast } from '../../ui/toast';

/** Nothing of a club is deleted by the way: its courts have to go first, and this says so. */
export function DeleteClub({ club, courts, onClose }: { club: Club; courts: Terrain[]; onClose: () => void }) {
  const i18n = useI18n();
  const { t, n } = i18n;
  const toast = useToast();
  const remove = useAction(
    () => adminActions.deleteClub(club.id),
    [adminKeys.clubs, adminKeys.accounts, keys.cameras],
    {
      done: () => {
        onClose();
        toast({ tone: 'good', text: t('clubs.deleted', { name: club.name }) });
      },
    },
  );
  if (courts.length > 0) {
    return (
      <Dialog
        narrow
        title={t('clubs.not_yet_title', { name: club.name })}
        onClose={onClose}
        foot={<Button onClick={onClose}>{t('action.close')}</Button>}
      >
        <p>{n('clubs.not_yet', courts.length)}</p>
        <p className="muted">{courts.map((court) => court.name).join(', ')}</p>
      </Dialog>
    );
  }
  const told = remove.error && tell(i18n, remove.error);
  return (
    <Confirm
      title={t('clubs.delete_title', { name: club.name })}
      action={t('clubs.delete')}
      busy={remove.isPending}
      onConfirm={() => remove.mutate(undefined)}
      onClose={onClose}
    >
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <p>{t('clubs.delete_text')}</p>
      {club.user_count > 0 && <Notice tone="warn" title={n('clubs.delete_people', club.user_count)} />}
    </Confirm>
  );
}
