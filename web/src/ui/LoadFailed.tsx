import { LockKeyhole, TriangleAlert } from 'lucide-react';
import { ApiError } from '../api/client';
import { tell } from '../api/errors';
import { useI18n } from '../i18n';
import { Button, Empty } from '.';

/** What stands where a list would, when it could not be fetched: the cause, and another try where that may help. */
export function LoadFailed({ error, retry }: { error: Error; retry: () => unknown }) {
  const i18n = useI18n();
  const told = tell(i18n, error);
  const refused = error instanceof ApiError && error.status === 403;
  return (
    <Empty
      icon={refused ? <LockKeyhole size={24} /> : <TriangleAlert size={24} />}
      title={told.title}
      actions={refused ? undefined : <Button onClick={() => void retry()}>{i18n.t('action.retry')}</Button>}
    >
      {told.hint}
    </Empty>
  );
}

/** The same for a place that is not for this role. */
export function NotAllowed() {
  const { t } = useI18n();
  return (
    <Empty icon={<LockKeyhole size={24} />} title={t('error.forbidden')}>
      {t('error.forbidden.hint')}
    </Empty>
  );
}
