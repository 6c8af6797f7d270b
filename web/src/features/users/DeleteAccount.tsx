import { adminActions, adminKeys } from '../../api/admin';
import { tell } from '../../api/errors';
import type { Account } from '../../api/model';
import { useAction, useVideos } from '../../api/queries';
import { useI18n } from '../../i18n';
import { Confirm, Notice } from '../../ui';
import { useToast } from '../../ui/toast';

export function DeleteAccount({ account, onClose }: { account: Account; onClose: () => void }) {
  const i18n = useI18n();
  const { t, n } = i18n;
  const toast = useToast();
  const name = account.username;
  const kept = useVideos().data?.filter((video) => video.user_id === account.id).length ?? 0;
  const remove = useAction(() => adminActions.deleteAccount(account.id), [adminKeys.accounts, adminKeys.clubs], {
    done: () => {
      onClose();
      toast({ tone: 'good', text: t('users.deleted', { name }) });
    },
  });
  const told = remove.error && tell(i18n, remove.error);
  return (
    <Confirm
      title={t('users.delete_title', { name })}
      action={t('users.delete')}
      busy={remove.isPending}
      onConfirm={() => remove.mutate(undefined)}
      onClose={onClose}
    >
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <p>{t('users.delete_text', { name })}</p>
      <p className="muted">{kept > 0 ? n('users.delete_kept', kept) : t('users.delete_nothing')}</p>
    </Confirm>
  );
}
