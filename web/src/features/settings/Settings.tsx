// The parts of the settings, each at an address of its own. What is not for a role is not in its list.
import { Activity, Info, KeyRound, Landmark, Palette, ScrollText, User, Users as UsersIcon } from 'lucide-react';
import { type ComponentType, lazy, Suspense, useEffect, useRef } from 'react';
import { Link } from 'wouter';
import { may, type Permission, useMay, useUser } from '../../app/permissions';
import { type Key, useI18n } from '../../i18n';
import { useTitle } from '../../lib/hooks';
import { Skeleton } from '../../ui';
import { NotAllowed } from '../../ui/LoadFailed';
import { About } from './About';
import { Account } from './Account';
import { Display } from './Display';
import './settings.css';

const Users = lazy(() => import('../users/Users'));
const Clubs = lazy(() => import('../clubs/Clubs'));
const Tokens = lazy(() => import('../tokens/Tokens'));
const Audit = lazy(() => import('../audit/Audit'));
const Diagnose = lazy(() => import('../diagnose/Diagnose'));

interface Part {
  id: string;
  label: Key;
  icon: typeof Info;
  needs?: Permission;
  Page: ComponentType;
}

const GROUPS: { title: Key; parts: Part[] }[] = [
  {
    title: 'settings.group.you',
    parts: [
      { id: 'account', label: 'settings.account', icon: User, Page: Account },
      { id: 'display', label: 'settings.display', icon: Palette, Page: Display },
      { id: 'tokens', label: 'settings.tokens', icon: KeyRound, needs: 'tokens', Page: Tokens },
    ],
  },
  {
    title: 'settings.group.club',
    parts: [
      { id: 'users', label: 'settings.users', icon: UsersIcon, needs: 'people', Page: Users },
      { id: 'clubs', label: 'settings.clubs', icon: Landmark, needs: 'courts', Page: Clubs },
    ],
  },
  {
    title: 'settings.group.server',
    parts: [
      { id: 'audit', label: 'settings.audit', icon: ScrollText, needs: 'audit', Page: Audit },
      { id: 'diagnose', label: 'settings.diagnose', icon: Activity, needs: 'diagnose', Page: Diagnose },
      { id: 'about', label: 'settings.about', icon: Info, Page: About },
    ],
  },
];

export default function Settings({ part }: { part: string }) {
  const { t } = useI18n();
  const { role } = useUser();
  const severalClubs = useMay('clubs');
  const list = useRef<HTMLDivElement>(null);
  const all = GROUPS.flatMap((group) => group.parts);
  const current = all.find(({ id }) => id === part) ?? all[0];
  const allowed = ({ needs }: Part) => !needs || may(role, needs);
  const label = (entry: Part) => t(entry.id === 'clubs' && !severalClubs ? 'settings.courts' : entry.label);
  useTitle(current ? label(current) : t('nav.settings'));
  // On phones the parts are one line, longer than the screen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another part is another link
  useEffect(() => {
    list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [part]);

  return (
    <main className="page settings">
      <header className="page-head">
        <h1>{t('nav.settings')}</h1>
      </header>
      <div className="settings-columns">
        <nav className="settings-parts" aria-label={t('nav.settings')} ref={list}>
          {GROUPS.map((group) => {
            const parts = group.parts.filter(allowed);
            if (parts.length === 0) return null;
            return (
              <section key={group.title}>
                <h2>{t(group.title)}</h2>
                <ul>
                  {parts.map((entry) => (
                    <li key={entry.id}>
                      <Link href={`/settings/${entry.id}`} aria-current={entry.id === current?.id ? 'page' : undefined}>
                        <entry.icon size={18} aria-hidden />
                        {label(entry)}
                      </Link>
                    </li>
                  ))}
                </ul>
              </section>
            );
          })}
        </nav>
        <div className="settings-page">
          {current && allowed(current) ? (
            <Suspense fallback={<Skeleton height={240} />}>
              <current.Page />
            </Suspense>
          ) : (
            <NotAllowed />
          )}
        </div>
      </div>
    </main>
  );
}
