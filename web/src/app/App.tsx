// What is shown to whom: nobody signs in, the first one sets up, everyone else gets the shell with their places.
import { useQueryClient } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { lazy, Suspense, useEffect } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { onSignedOut } from '../api/client';
import { tell } from '../api/errors';
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
const Settings = lazy(() => import('../features/settings/Settings'));
const NotFound = lazy(() => import('./NotFound'));

export function App() {
  const client = useQueryClient();
  const identity = useIdentity();

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

  return (
    <UserContext value={identity.data.user}>
      <Shell>
        <Boundary>
          <Suspense fallback={<PageSkeleton />}>
            <Switch>
              <Route path="/">
                <Wall />
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
