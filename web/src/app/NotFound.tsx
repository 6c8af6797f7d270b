import { MapPinOff } from 'lucide-react';
import { Link } from 'wouter';
import { useI18n } from '../i18n';
import { useTitle } from '../lib/hooks';
import { Empty } from '../ui';

export default function NotFound() {
  const { t } = useI18n();
  useTitle(t('notfound.title'));
  return (
    <main className="page">
      <Empty
        icon={<MapPinOff size={24} />}
        title={t('notfound.title')}
        actions={
          <Link className="btn btn-primary" href="/">
            {t('notfound.back')}
          </Link>
        }
      >
        {t('notfound.text')}
      </Empty>
    </main>
  );
}
