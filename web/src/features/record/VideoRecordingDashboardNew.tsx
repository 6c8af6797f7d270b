// The place of players and clubs: their courts, their videos, what is open now, and how the machine does.
import { useState } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import { useTerrains } from '../../api/courts';
import { useSessions } from '../../api/queries';
import { useI18n } from '../../i18n';
import { useTitle } from '../../lib/hooks';
import { ActiveSessions } from './ActiveSessions';
import { Courts } from './Courts';
import { NewRecordingModal } from './NewRecordingModal';
import { SystemHealthPanel } from './SystemHealthPanel';
import { VideoListNew } from './VideoListNew';
import './dashboard.css';

export type DashboardTab = 'record' | 'videos' | 'sessions';

const TABS = [
  { tab: 'record', href: '/record', label: 'dashboard.record' },
  { tab: 'videos', href: '/record/videos', label: 'dashboard.videos' },
  { tab: 'sessions', href: '/record/sessions', label: 'dashboard.sessions' },
] as const;

/** `?court=` of the address that opens the dialog without a court in it. */
const ANY = 'new';

interface Props {
  tab: DashboardTab;
  /** The video that is watched. */
  open?: number;
}

export default function VideoRecordingDashboardNew({ tab, open }: Props) {
  const { t } = useI18n();
  const [location, navigate] = useLocation();
  const asked = new URLSearchParams(useSearch()).get('court');
  const terrains = useTerrains();
  const running = useSessions().data?.filter((session) => session.recording_active).length ?? 0;
  const [wide, setWide] = useState(false);
  useTitle(t('nav.record'));

  const openCourt = (court: number | typeof ANY) => navigate(`${location}?court=${court}`);
  const courtId = asked !== null && asked !== ANY ? Number(asked) : undefined;
  const ready = terrains.data !== undefined && terrains.data.length > 0;

  return (
    <main className={`page dashboard ${wide ? 'dashboard-wide' : ''}`}>
      <header className="page-head">
        <h1>{t('nav.record')}</h1>
        <div className="tabs" role="tablist" aria-label={t('nav.record')}>
          {TABS.map(({ tab: name, href, label }) => (
            <Link key={name} className="tab" role="tab" href={href} aria-selected={name === tab}>
              {t(label)}
              {name === 'sessions' && running > 0 && <span className="tab-count">{running}</span>}
            </Link>
          ))}
        </div>
      </header>
      <div className="dashboard-columns">
        <div className="dashboard-main">
          {tab === 'record' && <Courts paused={asked !== null} onOpen={openCourt} onNew={() => openCourt(ANY)} />}
          {tab === 'videos' && <VideoListNew open={open} onWide={setWide} />}
          {tab === 'sessions' && <ActiveSessions />}
        </div>
        <SystemHealthPanel />
      </div>
      {asked !== null && ready && (
        <NewRecordingModal
          court={courtId}
          onCourt={(court) => navigate(`${location}?court=${court}`, { replace: true })}
          onClose={() => navigate(location)}
        />
      )}
    </main>
  );
}
