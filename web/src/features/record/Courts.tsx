// Every court at a glance, each with one big button.
import { Plus, TriangleAlert, Trophy } from 'lucide-react';
import { useRef, useState } from 'react';
import { Link } from 'wouter';
import { useTerrains } from '../../api/courts';
import { tell } from '../../api/errors';
import type { Session, Terrain } from '../../api/model';
import { useCameras } from '../../api/queries';
import { useMay, useUser } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { useKeys } from '../../lib/hooks';
import { Button, Confirm, Empty, Skeleton } from '../../ui';
import { CourtPicture, useCourtCamera } from './CourtPicture';
import { CourtWords } from './CourtWords';
import { byClub, type CourtState, plannedOf, progressOf } from './courtState';
import { Progress } from './Progress';
import { RecPill } from './RecPill';
import { useElapsed } from './useRecord';
import { useVideoRecording } from './useVideoRecording';

interface Props {
  /** A dialog is in front: the pictures rest. */
  paused: boolean;
  onOpen: (court: number) => void;
  onNew: () => void;
}

export function Courts({ paused, onOpen, onNew }: Props) {
  const i18n = useI18n();
  const { t, language } = i18n;
  const terrains = useTerrains();
  const manage = useMay('cameras.manage');
  const room = useRef<HTMLDivElement>(null);
  // R presses the big button of the court that has the focus, or of the only one.
  useKeys({
    r: () => {
      const cards = [...(room.current?.querySelectorAll<HTMLElement>('.court') ?? [])];
      const card =
        cards.find((court) => court.contains(document.activeElement)) ?? (cards.length < 2 ? cards[0] : null);
      if (card) card.querySelector<HTMLButtonElement>('.court-button')?.click();
      else onNew();
    },
  });

  if (terrains.isPending) return <CourtsSkeleton />;
  if (!terrains.data) {
    const told = tell(i18n, terrains.error);
    return (
      <Empty
        icon={<TriangleAlert size={24} />}
        title={told.title}
        actions={<Button onClick={() => void terrains.refetch()}>{t('action.retry')}</Button>}
      >
        {told.hint}
      </Empty>
    );
  }
  if (terrains.data.length === 0) return <NoCourts manage={manage} />;
  const clubs = byClub(terrains.data, language);
  return (
    <div className="courts" ref={room}>
      {clubs.map(([club, courts]) => (
        <section key={club} aria-label={club}>
          {clubs.length > 1 && <h2 className="courts-club">{club}</h2>}
          <ul className="courts-grid">
            {courts.map((terrain) => (
              <li key={terrain.id}>
                <CourtCard terrain={terrain} paused={paused} onOpen={() => onOpen(terrain.id)} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {terrains.data.length > 1 && (
        <div className="courts-foot">
          <Button onClick={onNew}>
            <Plus size={18} aria-hidden />
            {t('newrec.open')}
          </Button>
        </div>
      )}
    </div>
  );
}

function NoCourts({ manage }: { manage: boolean }) {
  const { t } = useI18n();
  const cameras = useCameras().data?.length ?? 0;
  return (
    <Empty
      icon={<Trophy size={24} />}
      title={t('courts.empty')}
      actions={
        manage && (
          <>
            <Link className="btn btn-primary" href="/settings/clubs">
              {t('courts.empty.action')}
            </Link>
            {cameras > 0 && (
              <Link className="btn" href="/">
                {t('courts.empty.wall')}
              </Link>
            )}
          </>
        )
      }
    >
      {t(manage ? 'courts.empty.hint' : 'courts.empty.hint_player')}
    </Empty>
  );
}

function CourtCard({ terrain, paused, onOpen }: { terrain: Terrain; paused: boolean; onOpen: () => void }) {
  const { t } = useI18n();
  const me = useUser();
  const [asking, setAsking] = useState(false);
  const camera = useCourtCamera(terrain);
  // Of one's own recording the server's progress is asked for; others are counted on from the list of sessions.
  const owner = useVideoRecording(terrain, { watch: false }).session?.user_id === me.id;
  const recording = useVideoRecording(terrain, { watch: owner && !paused });
  const { state, running, status } = recording;
  return (
    <article className={`court court-${state.kind}`} aria-label={terrain.name} data-court={terrain.id}>
      <button
        type="button"
        className="court-picture"
        aria-label={t('court.open', { court: terrain.name })}
        onClick={onOpen}
        disabled={!running && !recording.mayStart}
      >
        <CourtPicture terrain={terrain} paused={paused} />
        <span className="court-top">{running && <RecPill session={running} />}</span>
      </button>
      <div className="court-words">
        <h3>{terrain.name}</h3>
        <CourtWords state={state} camera={camera} />
        {running && (
          <CourtProgress session={running} percent={status?.progress_percent} planned={plannedOf(running, status)} />
        )}
      </div>
      <CourtButton
        state={state}
        court={terrain.name}
        busy={recording.starting || recording.stopping}
        onStart={onOpen}
        onStop={() => setAsking(true)}
      />
      {asking && running && (
        <StopQuestion
          court={terrain.name}
          session={running}
          busy={recording.stopping}
          onConfirm={() => {
            recording.stop();
            setAsking(false);
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </article>
  );
}

function CourtProgress({ session, percent, planned }: { session: Session; percent?: number; planned: number }) {
  const elapsed = useElapsed(session);
  return <Progress percent={percent ?? progressOf(elapsed, planned)} elapsed={elapsed} planned={planned} />;
}

interface ButtonProps {
  state: CourtState;
  court: string;
  busy: boolean;
  onStart: () => void;
  onStop: () => void;
}

function CourtButton({ state, court, busy, onStart, onStop }: ButtonProps) {
  const { t } = useI18n();
  const session = 'session' in state ? state.session : undefined;
  if (state.kind === 'recording' && session) {
    return (
      <Button
        className="record-button record-stop court-button"
        busy={busy}
        onClick={onStop}
        aria-label={t('court.stop', { court })}
      >
        {!busy && <span className="record-square" aria-hidden />}
        {t('record.stop')}
      </Button>
    );
  }
  const may = state.kind === 'free' || (state.kind === 'reserved' && session);
  return (
    <button
      type="button"
      className="record-button court-button"
      disabled={!may || busy}
      onClick={onStart}
      aria-label={t('record.start_of', { camera: court })}
    >
      {busy ? <span className="spinner" aria-hidden /> : <span className="record-dot" aria-hidden />}
      {t('record.start')}
    </button>
  );
}

interface QuestionProps {
  court: string;
  session: Session;
  busy: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

/** A match is not ended by a thumb that slipped. */
export function StopQuestion({ court, session, busy, onConfirm, onClose }: QuestionProps) {
  const { t, format } = useI18n();
  const elapsed = useElapsed(session);
  return (
    <Confirm
      title={t('court.stop_title', { court })}
      action={t('court.stop_action')}
      busy={busy}
      onConfirm={onConfirm}
      onClose={onClose}
    >
      <p>{t('court.stop_text', { length: format.length(elapsed) })}</p>
    </Confirm>
  );
}

function CourtsSkeleton() {
  return (
    <ul className="courts-grid" aria-busy>
      {[0, 1, 2].map((card) => (
        <li key={card} className="court">
          <div className="skeleton" style={{ aspectRatio: '16 / 9' }} />
          <Skeleton height={24} width="60%" />
          <Skeleton height={56} />
        </li>
      ))}
    </ul>
  );
}
