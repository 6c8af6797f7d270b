// What is shown to whom: nobody signs in, the first one sets up, everyone else gets the shell with their places.
import { useQueryClient } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { Redirect, Route, Switch, useLocation, useRoute } from 'wouter';
import { onSignedOut } from '../api/client';
import { tell } from '../api/errors';
import type { Role } from '../api/model';
import { type Identity, keys, useIdentity } from '../api/queries';
import { SignIn } from '../features/auth/SignIn';
import { Wall } from '../features/wall/Wall';
import { useI18n } from '../i18n';
import { Button, Empty } from '../ui';
import { Boundary } from './Boundary';
import { Mark } from './Mark';
import { UserContext } from './permissions';
import { PageSkeleton, Shell } from './Shell';

const Setup = lazy(() => import('../features/auth/Setup'));
const Cameras = lazy(() => import('../features/cameras/Cameras'));
const CameraPage = lazy(() => import('../features/cameras/CameraPage'));
const Archive = lazy(() => import('../features/archive/Archive'));
const Dashboard = lazy(() => import('../features/record/VideoRecordingDashboardNew'));
const Kiosk = lazy(() => import('../features/kiosk/Kiosk'));
const Settings = lazy(() => import('../features/settings/Settings'));
const NotFound = lazy(() => import('./NotFound'));

export function App() {
  const client = useQueryClient();
  const identity = useIdentity();
  const [, kiosk] = useRoute('/kiosk/:terrain');

  useEffect(
    () =>
      onSignedOut(() => {
        const known = client.getQueryData<Identity>(keys.me);
        if (known?.kind !== 'user') return;
        client.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.me[0] });
        client.setQueryData<Identity>(keys.me, { kind: 'nobody' });
      }),
    [client],
  );

  // A tablet has its own way of signing in, and of waiting for the server.
  if (kiosk) {
    return (
      <Boundary>
        <Suspense fallback={<Splash />}>
          <Kiosk terrain={Number(kiosk.terrain)} />
        </Suspense>
      </Boundary>
    );
  }
  if (identity.isPending) return <Splash />;
  if (identity.isError) return <Unreachable error={identity.error} retry={() => void identity.refetch()} />;
  if (identity.data.kind === 'setup') {
    return (
      <Suspense fallback={<Splash />}>
        <Setup codeRequired={identity.data.codeRequired} />
      </Suspense>
    );
  }
  if (identity.data.kind === 'nobody') return <SignIn />;

  const { user } = identity.data;
  if (user.terrain_id) return <Redirect to={`/kiosk/${user.terrain_id}`} replace />;
  return (
    <UserContext value={user}>
      <FirstPlace role={user.role} />
      <Shell>
        <Boundary>
          <Suspense fallback={<PageSkeleton />}>
            <Switch>
              <Route path="/">
                <Wall />
              </Route>
              <Route path="/record">
                <Dashboard tab="record" />
              </Route>
              <Route path="/record/videos">
                <Dashboard tab="videos" />
              </Route>
              <Route path="/record/videos/:video">
                {({ video }) => <Dashboard tab="videos" open={Number(video)} />}
              </Route>
              <Route path="/record/sessions">
                <Dashboard tab="sessions" />
              </Route>
              <Route path="/cameras">
                <Cameras />
              </Route>
              <Route path="/cameras/:id">{({ id }) => <CameraPage key={id} id={Number(id)} />}</Route>
              <Route path="/archive">
                <Archive />
              </Route>
              <Route path="/archive/:recording">{({ recording }) => <Archive open={Number(recording)} />}</Route>
              <Route path="/settings">
                <Redirect to="/settings/account" replace />
              </Route>
              <Route path="/settings/:part">{({ part }) => <Settings part={part} />}</Route>
              <Route>
                <NotFound />
              </Route>
            </Switch>
          </Suspense>
        </Boundary>
      </Shell>
    </UserContext>
  );
}

/** A player comes to record: that is where the front door leads. Whoever reloads stays where they are. */
function FirstPlace({ role }: { role: Role }) {
  const [location, navigate] = useLocation();
  const [atDoor] = useState(() => role === 'PLAYER' && location === '/' && !reloaded());
  useEffect(() => {
    if (atDoor) navigate('/record', { replace: true });
  }, [atDoor, navigate]);
  return null;
}

function reloaded(): boolean {
  const [entry] = performance.getEntriesByType('navigation');
  return entry instanceof PerformanceNavigationTiming && entry.type === 'reload';
}

function Splash() {
  return (
    <div className="splash">
      <Mark size={40} />
    </div>
  );
}

function Unreachable({ error, retry }: { error: Error; retry: () => void }) {
  const i18n = useI18n();
  const told = tell(i18n, error);
  useEffect(() => {
    const timer = setInterval(retry, 3000);
    return () => clearInterval(timer);
  }, [retry]);
  return (
    <main className="splash">
      <Empty
        icon={<TriangleAlert size={24} />}
        title={told.title}
        actions={<Button onClick={retry}>{i18n.t('action.retry')}</Button>}
      >
        {told.hint}
      </Empty>
    </main>
  );
}
