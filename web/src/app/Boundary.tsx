import { Bug } from 'lucide-react';
import { Component, type ReactNode } from 'react';
import { useI18n } from '../i18n';
import { Button, Empty } from '../ui';

/** A broken page breaks alone: the navigation stays. */
export class Boundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    return this.state.broken ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { t } = useI18n();
  return (
    <main className="page">
      <Empty
        icon={<Bug size={24} />}
        title={t('error.page')}
        actions={<Button onClick={() => location.reload()}>{t('action.reload')}</Button>}
      >
        {t('error.page.hint')}
      </Empty>
    </main>
  );
}
