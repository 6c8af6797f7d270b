// What a test of a camera found: its picture and the facts, or what is wrong.
import { type ReactNode, useEffect, useRef } from 'react';
import { tell, tellReason } from '../../api/errors';
import type { TestResult } from '../../api/model';
import { useI18n } from '../../i18n';
import { Notice } from '../../ui';
import { codecName } from './facts';

export function TestOutcome(props: { pending: boolean; result?: TestResult; error: Error | null }) {
  const { pending, result, error } = props;
  const i18n = useI18n();
  const { t, format } = i18n;
  const ref = useRef<HTMLDivElement>(null);
  const stage = pending ? 'asking' : error || result ? 'told' : '';
  // Below the fields there may be no room for it; whoever asked wants to see it.
  useEffect(() => {
    if (stage) ref.current?.scrollIntoView({ block: 'nearest' });
  }, [stage]);

  if (pending) {
    return (
      <div className="form-outcome" role="status" ref={ref}>
        <div className="form-picture skeleton" aria-hidden />
        <div className="notice">
          <span className="spinner" aria-hidden />
          {t('form.testing')}
        </div>
      </div>
    );
  }
  if (error || (result && !result.success)) {
    const told = error ? tell(i18n, error) : tellReason(i18n, result?.error_code ?? '');
    return (
      <div className="form-outcome" ref={ref}>
        <Notice title={told.title}>{told.hint}</Notice>
      </div>
    );
  }
  if (!result) return null;
  const facts: ReactNode[] = [
    result.resolution?.replace('x', ' × '),
    result.codec && codecName(result.codec),
    result.fps && t('fact.fps_value', { fps: format.fps(result.fps) }),
    result.audio_codec ? t('form.with_sound', { codec: codecName(result.audio_codec) }) : t('form.without_sound'),
    typeof result.response_time_ms === 'number' && format.delay(result.response_time_ms),
  ].filter(Boolean);
  return (
    <div className="form-outcome" role="status" ref={ref}>
      {result.picture && <img className="form-picture" src={result.picture} alt={t('form.picture')} />}
      <Notice tone="good" title={t('form.works')}>
        <ul className="form-facts">
          {facts.map((fact) => (
            <li key={String(fact)}>{fact}</li>
          ))}
        </ul>
      </Notice>
    </div>
  );
}
