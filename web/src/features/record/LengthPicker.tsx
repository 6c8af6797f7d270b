import { useId } from 'react';
import { useI18n } from '../../i18n';
import { useStore } from '../../lib/store';
import { Segmented } from '../../ui';
import { chosenMinutes, PRESETS } from './useRecord';

const OTHER = 0;
const OTHER_MINUTES = 30;
const MOST_MINUTES = 720;

/** How long to record: the usual lengths of a match, or any other. Remembered in this browser. */
export function LengthPicker() {
  const { t, format } = useI18n();
  const minutes = useStore(chosenMinutes);
  const inputId = useId();
  const preset = (PRESETS as readonly number[]).includes(minutes) ? minutes : OTHER;
  return (
    <div className="record-length">
      <Segmented
        label={t('record.length')}
        value={preset}
        options={[
          ...PRESETS.map((value) => ({ value: value as number, label: format.minutes(value) })),
          { value: OTHER, label: t('record.other') },
        ]}
        onChange={(value) => chosenMinutes.set(value === OTHER ? OTHER_MINUTES : value)}
      />
      {preset === OTHER && (
        <label className="record-minutes" htmlFor={inputId}>
          <input
            id={inputId}
            className="input"
            type="number"
            inputMode="numeric"
            min={1}
            max={MOST_MINUTES}
            value={minutes}
            onChange={(event) => {
              const value = Math.round(Number(event.target.value));
              if (value >= 1 && value <= MOST_MINUTES) chosenMinutes.set(value);
            }}
          />
          <span>{t('record.minutes')}</span>
        </label>
      )}
    </div>
  );
}
