// The first steps of a club, above the pictures of somebody who has none yet. It goes when they are done, or when it is
// sent away.
import { X } from 'lucide-react';
import { useI18n } from '../../i18n';
import { createStoredStore, useStore } from '../../lib/store';
import { IconButton } from '../../ui';
import { isDone, useProgress } from './progress';
import { Steps } from './Steps';

const SHOWN = 'shown';
const SENT_AWAY = 'sent-away';
const checklist = createStoredStore<string>('vigie.first-steps', SHOWN, [SHOWN, SENT_AWAY]);

export default function Checklist() {
  const { t } = useI18n();
  const wanted = useStore(checklist) === SHOWN;
  return wanted ? <Open title={t('start.title')} /> : null;
}

function Open({ title }: { title: string }) {
  const { t } = useI18n();
  const progress = useProgress(null);
  if (!progress || isDone(progress)) return null;
  return (
    <aside className="checklist card" aria-label={title}>
      <div className="checklist-words">
        <h2>{title}</h2>
        <p className="small muted">{t('start.text')}</p>
      </div>
      <Steps club={null} />
      <IconButton label={t('start.dismiss')} onClick={() => checklist.set(SENT_AWAY)}>
        <X size={18} aria-hidden />
      </IconButton>
    </aside>
  );
}
