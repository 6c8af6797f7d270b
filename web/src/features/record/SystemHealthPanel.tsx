// How the machine that records does, in the four things that can stop a match from being kept.
import { Cpu, Film, HardDrive, Radio } from 'lucide-react';
import type { ReactNode } from 'react';
import { useI18n } from '../../i18n';
import { Skeleton } from '../../ui';
import { useSystemHealth } from './useSystemHealth';

export function SystemHealthPanel() {
  const { t, n, format } = useI18n();
  const { health, uptime, left, low, full, pending, error } = useSystemHealth();
  const encodes = health?.encoder.available;
  const worst = error ? 'dot-bad' : low || full || encodes === false ? 'dot-degraded' : health ? 'dot-good' : '';
  const verdict = error ? 'health.unreachable' : worst === 'dot-degraded' ? 'health.attention' : 'health.good';
  return (
    <aside className="health card" aria-label={t('health.title')}>
      <header>
        <h2>{t('health.title')}</h2>
        {!pending && (
          <span className="health-verdict small">
            <span className={`dot ${worst}`} aria-hidden />
            {t(verdict)}
          </span>
        )}
      </header>
      {pending && <Skeleton height={120} />}
      {health && (
        <dl>
          <Row icon={<Radio size={18} />} name={t('health.recordings')} warn={full}>
            {t('health.recordings_value', {
              running: format.number(health.active_recordings),
              most: format.number(health.max_concurrent_recordings),
            })}
            <small>{n('health.sessions', health.active_sessions)}</small>
          </Row>
          {health.disk && (
            <Row icon={<HardDrive size={18} />} name={t('health.disk')} warn={low}>
              {t('archive.free', { size: format.bytes(health.disk.available) })}
              {left !== undefined && (
                <span className={`meter ${low ? 'meter-low' : ''}`} aria-hidden>
                  <span style={{ width: `${Math.round((1 - left) * 100)}%` }} />
                </span>
              )}
              {low && <small>{t('health.disk_low')}</small>}
            </Row>
          )}
          <Row icon={<Film size={18} />} name={t('health.videos')}>
            {n('archive.count', health.videos.count)}
            <small>{format.bytes(health.videos.total_size_bytes)}</small>
          </Row>
          {encodes !== undefined && (
            <Row icon={<Cpu size={18} />} name={t('health.encoder')} warn={!encodes}>
              {encodes ? health.encoder.name : t('health.encoder_no')}
              {!encodes && <small>{t('health.encoder_no.hint')}</small>}
            </Row>
          )}
        </dl>
      )}
      {uptime !== undefined && <p className="small muted">{t('health.uptime', { time: format.length(uptime) })}</p>}
    </aside>
  );
}

function Row({ icon, name, warn, children }: { icon: ReactNode; name: string; warn?: boolean; children: ReactNode }) {
  return (
    <div className={warn ? 'health-warn' : ''}>
      <dt>
        <span aria-hidden>{icon}</span>
        {name}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}
