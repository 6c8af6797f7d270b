import { Check } from 'lucide-react';
import { Link } from 'wouter';
import { type Key, useI18n } from '../../i18n';
import { useProgress } from './progress';
import './start.css';

const STEPS: { step: 'camera' | 'court' | 'player'; href: string; label: Key; hint: Key }[] = [
  { step: 'camera', href: '/cameras', label: 'start.camera', hint: 'start.camera.hint' },
  { step: 'court', href: '/settings/clubs', label: 'start.court', hint: 'start.court.hint' },
  { step: 'player', href: '/settings/users', label: 'start.player', hint: 'start.player.hint' },
];

/** What to do first for a club (`null`: for any), in order, with what is done ticked off. */
export function Steps({ club }: { club: number | null }) {
  const { t, format } = useI18n();
  const progress = useProgress(club);
  const next = STEPS.find(({ step }) => !progress?.[step])?.step;
  return (
    <ol className="steps">
      {STEPS.map(({ step, href, label, hint }, index) => {
        const done = progress?.[step] === true;
        return (
          <li key={step}>
            <Link
              className={`step ${done ? 'step-done' : ''}`}
              href={href}
              aria-current={step === next ? 'step' : undefined}
            >
              <span className="step-mark" aria-hidden>
                {done ? <Check size={16} /> : format.number(index + 1)}
              </span>
              <span>
                <strong>{t(label)}</strong>
                {done && <span className="sr-only">{t('start.done')}</span>}
                <small>{t(hint)}</small>
              </span>
            </Link>
          </li>
        );
      })}
    </ol>
  );
}
