// The tablet beside a court: who it is, before it shows anything. **A pass is taken out of the address the moment it
// arrives**, so that neither a photograph of the screen nor the browser's history holds it.
import { useQueryClient } from '@tanstack/react-query';
import { QrCode, RefreshCw, TabletSmartphone } from 'lucide-react';
import { type ReactNode, useCallback, useEffect, useState } from 'react';
import { Redirect } from 'wouter';
import { ApiError } from '../../api/client';
import { courtActions } from '../../api/courts';
import { tell } from '../../api/errors';
import { type Identity, keys, useAction, useIdentity } from '../../api/queries';
import { Mark } from '../../app/Mark';
import { UserContext } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { useTitle } from '../../lib/hooks';
import { Button, Empty } from '../../ui';
import { KioskScreen } from './KioskScreen';
import { LanguageSwitch } from './LanguageSwitch';
import './kiosk.css';

function takePass(): string | null {
  const pass = location.hash.slice(1);
  if (!pass) return null;
  history.replaceState(history.state, '', location.pathname + location.search);
  return pass;
}

let arrived = takePass();

const AGAIN_MS = 3000;

export default function Kiosk({ terrain }: { terrain: number }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const identity = useIdentity();
  const [pass, setPass] = useState(arrived);
  const [refused, setRefused] = useState(false);
  const [agreed, setAgreed] = useState(false);
  useTitle(t('kiosk.title'));

  // The same tablet scans a new code: only the part behind # changes, and the page stays.
  useEffect(() => {
    const onHash = () => {
      const next = takePass();
      if (next) {
        setRefused(false);
        setAgreed(true);
        setPass(next);
      }
    };
    window.addEventListener('hashchange', onHash);
    return () => window.removeEventListener('hashchange', onHash);
  }, []);

  const enter = useAction(courtActions.enterKiosk, [keys.cameras, keys.sessions, keys.terrains, keys.videos], {
    done: (entered) => {
      client.setQueryData<Identity>(keys.me, entered);
      arrived = null;
      setPass(null);
    },
    failed: (error) => {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403 || error.status === 404)) {
        arrived = null;
        setPass(null);
        setRefused(true);
      }
    },
  });
  const person = identity.data?.kind === 'user' && !identity.data.user.terrain_id ? identity.data.user : undefined;
  const ready = pass !== null && !identity.isPending && (!person || agreed);
  const { mutate, isPending, error } = enter;
  const send = useCallback(() => {
    if (pass !== null) mutate(pass);
  }, [mutate, pass]);
  useEffect(() => {
    if (ready) send();
  }, [ready, send]);
  useEffect(() => {
    if (!ready || isPending || !error) return;
    const wait = error instanceof ApiError && error.retryAfter ? error.retryAfter * 1000 : AGAIN_MS;
    const timer = setTimeout(send, wait);
    return () => clearTimeout(timer);
  }, [ready, isPending, error, send]);
  // A server that restarts is asked until it answers.
  const { isError, refetch } = identity;
  useEffect(() => {
    if (!isError) return;
    const timer = setInterval(() => void refetch(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [isError, refetch]);

  if (pass !== null && person && !agreed) {
    return (
      <Gate
        icon={<TabletSmartphone size={28} />}
        title={t('kiosk.replace_title')}
        actions={
          <>
            <Button tone="primary" onClick={() => setAgreed(true)}>
              {t('kiosk.replace')}
            </Button>
            <Button
              onClick={() => {
                arrived = null;
                setPass(null);
              }}
            >
              {t('action.cancel')}
            </Button>
          </>
        }
      >
        {t('kiosk.replace_text', { name: person.username })}
      </Gate>
    );
  }
  if (pass !== null) return error && !isPending ? <Trying error={error} /> : <Splash />;
  if (refused) return <ScanAgain />;
  if (identity.isPending) return <Splash />;
  if (!identity.data) return <Trying error={identity.error} />;
  if (identity.data.kind !== 'user') return <ScanAgain />;
  const { user } = identity.data;
  if (user.terrain_id && user.terrain_id !== terrain) return <Redirect to={`/kiosk/${user.terrain_id}`} replace />;
  return (
    <UserContext value={user}>
      <KioskScreen id={terrain} />
    </UserContext>
  );
}

function Splash() {
  return (
    <div className="splash" aria-busy>
      <Mark size={48} />
    </div>
  );
}

function Trying({ error }: { error: Error }) {
  const i18n = useI18n();
  const told = tell(i18n, error);
  return (
    <Gate icon={<RefreshCw size={28} />} title={told.title}>
      {i18n.t('kiosk.trying')}
    </Gate>
  );
}

function ScanAgain() {
  const { t } = useI18n();
  return (
    <Gate icon={<QrCode size={28} />} title={t('kiosk.scan')}>
      {t('kiosk.scan.hint')}
    </Gate>
  );
}

interface GateProps {
  icon: ReactNode;
  title: string;
  children: ReactNode;
  actions?: ReactNode;
}

function Gate({ icon, title, children, actions }: GateProps) {
  return (
    <main className="kiosk-gate">
      <div className="kiosk-corner">
        <LanguageSwitch />
      </div>
      <Empty icon={icon} title={title} actions={actions}>
        {children}
      </Empty>
    </main>
  );
}
