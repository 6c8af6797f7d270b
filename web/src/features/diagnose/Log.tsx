import { Search } from 'lucide-react';
import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import { type Key, useI18n } from '../../i18n';
import { Empty, Segmented } from '../../ui';
import { filterLog, type Level, readLog } from './diagnosis';

const CHOICES: { level: Level; label: Key }[] = [
  { level: 'TRACE', label: 'diagnose.log.all' },
  { level: 'WARN', label: 'diagnose.log.warnings' },
  { level: 'ERROR', label: 'diagnose.log.errors' },
];

/** The last lines of the server's log, the newest at the bottom and in sight. */
export function Log({ lines }: { lines: string[] }) {
  const { t } = useI18n();
  const [words, setWords] = useState('');
  const [least, setLeast] = useState<Level>('TRACE');
  const box = useRef<HTMLDivElement>(null);
  const read = useMemo(() => readLog(lines), [lines]);
  const shown = filterLog(read, least, words);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other lines, another end
  useLayoutEffect(() => {
    box.current?.scrollTo(0, box.current.scrollHeight);
  }, [read, least, words]);
  return (
    <section className="card settings-card">
      <h2>{t('diagnose.log')}</h2>
      <div className="settings-tools">
        <label className="search">
          <Search size={16} aria-hidden />
          <span className="sr-only">{t('diagnose.log.search')}</span>
          <input
            className="input"
            type="search"
            placeholder={t('diagnose.log.search')}
            value={words}
            onChange={(event) => setWords(event.target.value)}
          />
        </label>
        <Segmented
          label={t('diagnose.log.level')}
          value={least}
          onChange={setLeast}
          options={CHOICES.map(({ level, label }) => ({ value: level, label: t(label) }))}
        />
      </div>
      {shown.length === 0 ? (
        <Empty icon={<Search size={24} />} title={t('diagnose.log.none')} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached by the keyboard
        <div className="log" ref={box} tabIndex={0} role="log" aria-label={t('diagnose.log')}>
          {shown.map((line, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines may be equal, and never move
            <p key={index} className={`log-${line.level.toLowerCase()}`}>
              {line.text}
            </p>
          ))}
        </div>
      )}
    </section>
  );
}
