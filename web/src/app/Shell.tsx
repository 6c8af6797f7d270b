// The frame around every page: places at the side (at the bottom on phones), the state of the way to the server.
import { useQueryClient } from '@tanstack/react-query';
import { CircleDot, Film, Keyboard, LayoutGrid, LogOut, Settings, Unlock, Video, WifiOff } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { useEventStream } from '../api/events';
import { link } from '../api/link';
import { actions, type Identity, keys, useIdentity, useSessions, useTidySessions } from '../api/queries';
import { type Key, useI18n } from '../i18n';
import { useKeys, useNow } from '../lib/hooks';
import { useStore } from '../lib/store';
import { IconButton, Skeleton } from '../ui';
import { Mark } from './Mark';
import { useMay, useUser } from './permissions';
import { Shortcuts } from './Shortcuts';
import './shell.css';

interface Place {
  href: string;
  label: Key;
  icon: typeof Video;
  shown: boolean;
}

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const user = useUser();
  const [location, navigate] = useLocation();
  const [help, setHelp] = useState(false);
  const recordings = useSessions().data?.filter((session) => session.recording_active).length ?? 0;
  useEventStream();
  useTidySessions();

  const places: Place[] = [
    { href: '/', label: 'nav.live', icon: LayoutGrid, shown: true },
    { href: '/record', label: 'nav.record', icon: CircleDot, shown: true },
    // Who sees no cameras finds their videos under Record.
    { href: '/archive', label: 'nav.archive', icon: Film, shown: useMay('cameras.see') },
    { href: '/cameras', label: 'nav.cameras', icon: Video, shown: useMay('cameras.see') },
    { href: '/settings', label: 'nav.settings', icon: Settings, shown: true },
  ];
  const shown = places.filter((place) => place.shown);
  useKeys({
    '?': () => setHelp(true),
    ...Object.fromEntries(shown.map((place, index) => [String(index + 1), () => navigate(place.href)])),
  });

  const signOut = async () => {
    await actions.logout().catch(() => undefined);
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.me[0] });
    client.setQueryData<Identity>(keys.me, { kind: 'nobody' });
  };

  return (
    <div className="shell">
      <a className="skip" href="#main">
        {t('nav.skip')}
      </a>
      <nav className="side" aria-label={t('nav.label')}>
        <Link className="side-brand" href="/">
          <Mark size={28} />
          <span>Vigie</span>
        </Link>
        <ul className="side-places">
          {shown.map(({ href, label, icon: Icon }) => {
            const current = href === '/' ? location === '/' : location.startsWith(href);
            return (
              <li key={href}>
                <Link className="side-place" href={href} aria-current={current ? 'page' : undefined}>
                  <Icon size={20} aria-hidden />
                  <span>{t(label)}</span>
                  {href === '/' && recordings > 0 && (
                    <span className="side-rec" title={t('nav.recording')}>
                      <span className="sr-only">{t('nav.recording')}</span>
                      {recordings}
                    </span>
                  )}
                </Link>
              </li>
            );
          })}
        </ul>
        <div className="side-foot">
          <span className="side-user" title={user.username}>
            <span className="side-avatar" aria-hidden>
              {user.username.slice(0, 1).toUpperCase()}
            </span>
            <span className="side-name">{user.username}</span>
          </span>
          <span className="side-tools">
            <IconButton small label={t('shortcuts.title')} onClick={() => setHelp(true)}>
              <Keyboard size={18} aria-hidden />
            </IconButton>
            <IconButton small label={t('action.sign_out')} onClick={() => void signOut()}>
              <LogOut size={18} aria-hidden />
            </IconButton>
          </span>
        </div>
      </nav>
      <div className="content" id="main" tabIndex={-1}>
        <ServerBanner />
        <LinkBanner />
        {children}
      </div>
      {help && <Shortcuts onClose={() => setHelp(false)} />}
    </div>
  );
}

/** What the server wants everybody to see on every page, e.g. that nobody has to sign in. */
function ServerBanner() {
  const { language } = useI18n();
  const { data, refetch } = useIdentity();
  const banner = data?.kind === 'user' ? data.banner : undefined;
  // The sentence is the server's, in the language that it was asked in.
  const asked = useRef(language);
  useEffect(() => {
    if (!banner || asked.current === language) return;
    asked.current = language;
    void refetch();
  }, [banner, language, refetch]);
  if (!banner) return null;
  return (
    <div className="offline" role="note">
      <Unlock size={18} aria-hidden />
      <span>{banner}</span>
    </div>
  );
}

/** Says that what is shown may be old, and how old. */
function LinkBanner() {
  const { t, format } = useI18n();
  const { reachable, heardAt } = useStore(link);
  const now = useNow(1000);
  if (reachable) return null;
  return (
    <div className="offline" role="status">
      <WifiOff size={18} aria-hidden />
      <span>
        <strong>{t('offline.title')}</strong> {t('offline.text', { ago: format.relative(heardAt, now) })}
      </span>
    </div>
  );
}

export function PageSkeleton() {
  return (
    <main className="page" aria-busy>
      <Skeleton height={32} width="220px" />
      <div style={{ height: 24 }} />
      <Skeleton height={320} />
    </main>
  );
}
