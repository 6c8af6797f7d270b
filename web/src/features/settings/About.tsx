import { useServerHealth, useVideoHealth } from '../../api/queries';
import { type Key, useI18n } from '../../i18n';

export function About() {
  const { t, n, format } = useI18n();
  const health = useServerHealth();
  const video = useVideoHealth().data;
  const rows: [Key, string | null | undefined][] = [
    ['about.version', health.data?.version],
    [
      'about.uptime',
      typeof health.data?.uptime_seconds === 'number' ? format.length(health.data.uptime_seconds) : null,
    ],
    [
      'about.videos',
      video && `${n('archive.count', video.videos.count)} · ${format.bytes(video.videos.total_size_bytes)}`,
    ],
    [
      'about.disk',
      video &&
        t('about.disk_value', { free: format.bytes(video.disk.available), total: format.bytes(video.disk.total) }),
    ],
  ];
  return (
    <section className="card settings-card">
      <h2>Vigie</h2>
      <dl className="settings-facts">
        {rows.map(([key, value]) => (
          <div key={key}>
            <dt>{t(key)}</dt>
            <dd>{value ?? '–'}</dd>
          </div>
        ))}
      </dl>
      <p className="small">
        <a href="/api/docs" target="_blank" rel="noreferrer">
          {t('tokens.docs')}
        </a>
      </p>
    </section>
  );
}
