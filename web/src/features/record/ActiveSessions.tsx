// Who holds which court now, and what is done about it.
import { Brush, Eye, Radio, Square, TriangleAlert, X } from 'lucide-react';
import { useState } from 'react';
import { courtActions, usePreviewInfo, useTerrains } from '../../api/courts';
import { tell } from '../../api/errors';
import type { Cleaned, Session, Target, Terrain } from '../../api/model';
import { actions, keys, useAction, useSessions } from '../../api/queries';
import { useMay, useUser } from '../../app/permissions';
import { type I18n, type Key, useI18n } from '../../i18n';
import { useNow } from '../../lib/hooks';
import { Button, Dialog, Empty, Skeleton } from '../../ui';
import { useToast } from '../../ui/toast';
import { StopQuestion } from './Courts';
import { plannedOf, progressOf } from './courtState';
import { Progress } from './Progress';
import { useElapsed } from './useRecord';
import { VideoPreview } from './VideoPreview';
import './sessions.css';

const STATES: Record<string, Key> = {
  IDLE: 'session.idle',
  CREATING_SESSION: 'session.creating',
  SESSION_CREATED: 'session.ready',
  STARTING_RECORDING: 'session.starting',
  RECORDING: 'session.recording',
  STOPPING: 'session.stopping',
  COMPLETE: 'session.complete',
  FAILED: 'session.failed',
  CLEANUP: 'session.closing',
  CLOSED: 'session.closed',
};

export function ActiveSessions() {
  const i18n = useI18n();
  const { t, n } = i18n;
  const sessions = useSessions();
  const admin = useMay('videos.delete');
  if (sessions.isPending) return <Skeleton height={220} />;
  if (!sessions.data) {
    const told = tell(i18n, sessions.error);
    return (
      <Empty
        icon={<TriangleAlert size={24} />}
        title={told.title}
        actions={<Button onClick={() => void sessions.refetch()}>{t('action.retry')}</Button>}
      >
        {told.hint}
      </Empty>
    );
  }
  return (
    <div className="sessions">
      <header className="sessions-head">
        <p className="small muted">{n('session.count', sessions.data.length)}</p>
        {admin && <CleanUp />}
      </header>
      {sessions.data.length === 0 ? (
        <Empty icon={<Radio size={24} />} title={t('session.none')}>
          {t('session.none.hint')}
        </Empty>
      ) : (
        <ul className="sessions-list">
          {sessions.data.map((session) => (
            <Row key={session.session_id} session={session} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Row({ session }: { session: Session }) {
  const i18n = useI18n();
  const { t, n, format } = i18n;
  const me = useUser();
  const now = useNow(30_000);
  const terrain = useTerrains().data?.find((court) => court.id === session.terrain_id);
  const viewers = usePreviewInfo(session.session_id).data?.viewers;
  const [asking, setAsking] = useState(false);
  const [watching, setWatching] = useState(false);
  const { stop, close } = useSessionActions(session);
  const name = nameOf(i18n, session, terrain);
  const stateKey = STATES[session.state];
  return (
    <li className="session card">
      <div className="session-words">
        <h3>{name}</h3>
        <p className="small session-state">
          <span className={`dot ${session.recording_active ? 'dot-bad' : 'dot-good'}`} aria-hidden />
          {stateKey ? t(stateKey) : session.state}
        </p>
        <p className="small muted">
          {[
            session.user_id === me.id ? t('session.you') : session.username,
            t('session.since', { time: format.time(session.created_at) }),
            viewers !== undefined && n('preview.viewers', viewers),
            !session.recording_active &&
              session.expires_at &&
              t('session.ends', { when: format.relative(session.expires_at, now) }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </div>
      {session.recording_active && <SessionProgress session={session} />}
      <div className="session-actions">
        {terrain && (
          <Button small onClick={() => setWatching(true)}>
            <Eye size={16} aria-hidden />
            {t('session.preview')}
          </Button>
        )}
        {session.recording_active ? (
          <Button
            small
            busy={stop.isPending}
            onClick={() => setAsking(true)}
            aria-label={t('court.stop', { court: name })}
          >
            <Square size={14} fill="currentColor" className="session-stop" aria-hidden />
            {t('record.stop')}
          </Button>
        ) : (
          <Button
            small
            busy={close.isPending}
            onClick={() => close.mutate(session)}
            aria-label={t('session.close_of', { name })}
          >
            <X size={16} aria-hidden />
            {t('session.close')}
          </Button>
        )}
      </div>
      {asking && (
        <StopQuestion
          court={name}
          session={session}
          busy={stop.isPending}
          onClose={() => setAsking(false)}
          onConfirm={() => {
            stop.mutate(session.session_id);
            setAsking(false);
          }}
        />
      )}
      {watching && terrain && (
        <Dialog title={name} onClose={() => setWatching(false)}>
          <VideoPreview terrain={terrain} session={session} />
        </Dialog>
      )}
    </li>
  );
}

const nameOf = ({ t }: I18n, session: Session, terrain?: Terrain): string =>
  session.terrain_name ||
  terrain?.name ||
  session.camera_name ||
  t('session.camera', { number: session.camera_id ?? 0 });

function SessionProgress({ session }: { session: Session }) {
  const elapsed = useElapsed(session);
  const planned = plannedOf(session);
  return <Progress percent={progressOf(elapsed, planned)} elapsed={elapsed} planned={planned} />;
}

function useSessionActions(session: Session) {
  const i18n = useI18n();
  const { t } = i18n;
  const toast = useToast();
  const me = useUser();
  const failed = (error: Error) => {
    const told = tell(i18n, error);
    toast({ tone: 'bad', text: [told.title, told.hint].filter(Boolean).join('. ') });
  };
  const touched = [keys.sessions, keys.terrains, keys.videos];
  const reopen = useAction((target: Target) => courtActions.open(target), touched, { failed });
  const close = useAction(courtActions.close, touched, {
    done: () => {
      const target = targetOf(session);
      // Somebody else's can be closed, but only they can open it again as theirs.
      const own = session.user_id === me.id && target;
      toast({
        tone: 'good',
        text: t('session.was_closed'),
        action: own ? { label: t('action.undo'), run: () => reopen.mutate(target) } : undefined,
      });
    },
    failed,
  });
  const stop = useAction(actions.stopRecording, touched, {
    done: () => toast({ tone: 'good', text: t('session.was_stopped') }),
    failed,
  });
  return { stop, close };
}

function targetOf({ terrain_id, camera_id }: Session): Target | null {
  if (terrain_id) return { terrain_id };
  return camera_id ? { camera_id } : null;
}

function CleanUp() {
  const i18n = useI18n();
  const toast = useToast();
  const clean = useAction(courtActions.cleanUp, [keys.sessions, keys.terrains, keys.videos, keys.videoHealth], {
    done: (cleaned) => toast({ tone: 'good', text: cleanedWords(i18n, cleaned) }),
    failed: (error) => toast({ tone: 'bad', text: tell(i18n, error).title }),
  });
  return (
    <Button small busy={clean.isPending} onClick={() => clean.mutate(undefined)} title={i18n.t('cleanup.hint')}>
      <Brush size={16} aria-hidden />
      {i18n.t('cleanup.action')}
    </Button>
  );
}

/** What was tidied up, without what was not. */
export function cleanedWords({ t, n }: I18n, cleaned: Cleaned): string {
  const parts = [
    cleaned.sessions > 0 && n('cleanup.sessions', cleaned.sessions),
    cleaned.proxies > 0 && n('cleanup.proxies', cleaned.proxies),
    cleaned.empty_files > 0 && n('cleanup.files', cleaned.empty_files),
  ].filter((part): part is string => typeof part === 'string');
  return parts.length > 0 ? t('cleanup.done', { what: parts.join(', ') }) : t('cleanup.nothing');
}
