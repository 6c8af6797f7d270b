// From a court to a running recording: which court, how long, whether the disk can hold it, start; then how it goes, stop.
import { useEffect, useState } from 'react';
import { useEstimate, useTerrains } from '../../api/courts';
import { tell } from '../../api/errors';
import type { Terrain } from '../../api/model';
import { useSessions } from '../../api/queries';
import { useUser } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { useStore } from '../../lib/store';
import { Dialog, Notice, Select } from '../../ui';
import { CourtPicture, useCourtCamera } from './CourtPicture';
import { CourtWords, wordsOf } from './CourtWords';
import { byClub, courtState, mayStart } from './courtState';
import { LengthPicker } from './LengthPicker';
import { RunningRecording } from './RunningRecording';
import { useDialogKey } from './useDialogKey';
import { chosenMinutes } from './useRecord';
import { useVideoRecording } from './useVideoRecording';
import './record.css';
import './modal.css';

interface Props {
  court?: number;
  onCourt: (court: number) => void;
  onClose: () => void;
}

export function NewRecordingModal({ court, onCourt, onClose }: Props) {
  const { t, language } = useI18n();
  const terrains = useTerrains().data ?? [];
  const sessions = useSessions().data ?? [];
  const clubs = byClub(terrains, language);
  const named = terrains.find((terrain) => terrain.id === court);
  const [chosenClub, setClub] = useState(named?.club_name);
  const club = named?.club_name ?? chosenClub ?? clubs[0]?.[0] ?? '';
  const courts = clubs.find(([name]) => name === club)?.[1] ?? [];
  // With one court there is nothing to choose; else the first free one is as good a guess as any.
  const chosen =
    named ??
    courts.find((terrain) => mayStart(courtState(terrain, sessions))) ??
    (courts.length === 1 ? courts[0] : undefined);
  const guess = named === undefined ? chosen?.id : undefined;
  // A guess is kept: once it records it is no longer the first free one.
  useEffect(() => {
    if (guess !== undefined) onCourt(guess);
  }, [guess, onCourt]);
  const state = chosen && courtState(chosen, sessions);
  const recording = state?.kind === 'recording' && state.session ? chosen : undefined;
  return (
    <Dialog
      title={recording ? t('record.running_title', { camera: recording.name }) : t('newrec.title')}
      onClose={onClose}
    >
      {recording ? (
        <RunningRecording terrain={recording} onStopped={onClose} />
      ) : (
        <>
          {clubs.length > 1 && (
            <Select
              label={t('newrec.club')}
              value={club}
              options={clubs.map(([name]) => ({ value: name, label: name }))}
              onChange={(name) => {
                setClub(name);
                const first = clubs.find(([other]) => other === name)?.[1][0];
                if (first) onCourt(first.id);
              }}
            />
          )}
          <CourtPicker courts={courts} chosen={chosen?.id} onChoose={onCourt} />
          {chosen && <Start key={chosen.id} terrain={chosen} />}
          {!chosen && <Notice tone="plain" title={t('newrec.none_free')} />}
        </>
      )}
    </Dialog>
  );
}

interface PickerProps {
  courts: Terrain[];
  chosen?: number;
  onChoose: (court: number) => void;
}

function CourtPicker({ courts, chosen, onChoose }: PickerProps) {
  const { t } = useI18n();
  return (
    <fieldset className="picks">
      <legend className="field-label">{t('newrec.court')}</legend>
      <div className={`picks-grid ${courts.length === 1 ? 'picks-one' : ''}`}>
        {courts.map((terrain) => (
          <CourtPick key={terrain.id} terrain={terrain} checked={terrain.id === chosen} onChoose={onChoose} />
        ))}
      </div>
    </fieldset>
  );
}

function CourtPick({
  terrain,
  checked,
  onChoose,
}: {
  terrain: Terrain;
  checked: boolean;
  onChoose: (id: number) => void;
}) {
  const state = courtState(terrain, useSessions().data ?? []);
  const camera = useCourtCamera(terrain);
  return (
    <label className="pick">
      <input
        type="radio"
        name="court"
        className="sr-only"
        checked={checked}
        onChange={() => onChoose(terrain.id)}
        disabled={state.kind === 'no_camera' || state.kind === 'disabled'}
      />
      <span className="pick-picture">
        <CourtPicture terrain={terrain} />
      </span>
      <strong>{terrain.name}</strong>
      <CourtWords state={state} camera={camera} />
    </label>
  );
}

function Start({ terrain }: { terrain: Terrain }) {
  const i18n = useI18n();
  const { t } = i18n;
  const me = useUser();
  const minutes = useStore(chosenMinutes);
  const camera = useCourtCamera(terrain);
  const [error, setError] = useState<Error | null>(null);
  const recording = useVideoRecording(terrain, { watch: false, failed: setError });
  const estimate = useEstimate(recording.mayStart ? terrain.id : undefined, minutes).data;
  const cannotEncode = estimate?.mode === 'encode' && !estimate.encoder_available;
  const ready = recording.mayStart && !cannotEncode;
  const start = () => {
    setError(null);
    if (ready) recording.start(minutes);
  };
  useDialogKey('r', start);
  const told = error && tell(i18n, error);
  return (
    <div className="record">
      <div className="field">
        <span className="field-label">{t('record.length')}</span>
        <LengthPicker />
      </div>
      {recording.mayStart && <EstimateWords terrain={terrain.id} minutes={minutes} />}
      {cannotEncode && <Notice title={t('newrec.no_encoder')}>{t('newrec.no_encoder.hint')}</Notice>}
      {!recording.mayStart && (
        <Notice tone="warn" title={wordsOf(i18n, recording.state, me.id, camera)}>
          {t('newrec.not_now')}
        </Notice>
      )}
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <button type="button" className="record-button" disabled={!ready || recording.starting} onClick={start}>
        {recording.starting ? <span className="spinner" aria-hidden /> : <span className="record-dot" aria-hidden />}
        {t('record.start')}
      </button>
    </div>
  );
}

/** What it will weigh, and whether the disk can hold it. */
function EstimateWords({ terrain, minutes }: { terrain: number; minutes: number }) {
  const { t, format } = useI18n();
  const query = useEstimate(terrain, minutes);
  const estimate = query.data;
  if (!estimate) {
    return <p className="small muted">{query.isPending ? t('newrec.estimating') : t('record.estimate.unknown')}</p>;
  }
  return (
    <>
      <p className="small muted estimate">
        {t(estimate.measured ? 'record.estimate' : 'newrec.estimate_usual', {
          size: format.bytes(estimate.bytes),
          rate: format.bitrate(estimate.bitrate_kbps * 1000),
        })}{' '}
        {t('record.free', { size: format.bytes(estimate.free_bytes) })}
      </p>
      {!estimate.fits && (
        <Notice tone="warn" title={t('record.too_long')}>
          {estimate.max_minutes >= 1
            ? t('newrec.fits', { length: format.length(estimate.max_minutes * 60) })
            : t('newrec.disk_full')}
        </Notice>
      )}
    </>
  );
}
