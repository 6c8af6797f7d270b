import { type Key, useI18n } from '../i18n';
import { Dialog } from '../ui';
import './shortcuts.css';

const GROUPS: { title: Key; rows: { keys: string[]; label: Key }[] }[] = [
  {
    title: 'shortcuts.everywhere',
    rows: [
      { keys: ['1', '2', '3', '…'], label: 'shortcuts.places' },
      { keys: ['?'], label: 'shortcuts.help' },
    ],
  },
  {
    title: 'shortcuts.live',
    rows: [
      { keys: ['←', '→', '↑', '↓'], label: 'shortcuts.move' },
      { keys: ['↵'], label: 'shortcuts.open' },
      { keys: ['R'], label: 'shortcuts.record' },
      { keys: ['F'], label: 'shortcuts.fullscreen' },
      { keys: ['M'], label: 'shortcuts.sound' },
    ],
  },
  {
    title: 'shortcuts.courts',
    rows: [{ keys: ['R'], label: 'shortcuts.record_court' }],
  },
  {
    title: 'shortcuts.player',
    rows: [
      { keys: ['␣'], label: 'shortcuts.play' },
      { keys: ['J', 'K', 'L'], label: 'shortcuts.jkl' },
      { keys: [',', '.'], label: 'shortcuts.frame' },
      { keys: ['←', '→'], label: 'shortcuts.skip' },
      { keys: ['M'], label: 'shortcuts.marker' },
      { keys: ['N', 'P'], label: 'shortcuts.markers' },
      { keys: ['I', 'O'], label: 'shortcuts.part' },
      { keys: ['B'], label: 'shortcuts.loop' },
      { keys: ['S'], label: 'shortcuts.sound' },
    ],
  },
];

export function Shortcuts({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  return (
    <Dialog title={t('shortcuts.title')} onClose={onClose}>
      <div className="shortcuts">
        {GROUPS.map((group) => (
          <section key={group.title}>
            <h3>{t(group.title)}</h3>
            <dl>
              {group.rows.map((row) => (
                <div key={row.label}>
                  <dt>
                    {row.keys.map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{t(row.label)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
