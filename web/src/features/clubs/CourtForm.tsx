// A court: its name, and the camera that looks at it.
import { Video } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { adminActions, adminKeys } from '../../api/admin';
import { ApiError } from '../../api/client';
import { useTerrains } from '../../api/courts';
import { tell, tellField } from '../../api/errors';
import type { Camera, Club, Terrain } from '../../api/model';
import { keys, useAction, useCameras } from '../../api/queries';
import { useI18n } from '../../i18n';
import { dotOf } from '../../live/LivePicture';
import { Button, Dialog, Field, Notice, Skeleton } from '../../ui';
import { useToast } from '../../ui/toast';
import { Shot } from '../cameras/Shot';
import { camerasFor, sharedBy } from './courts';

const LONGEST_NAME = 80;

export function CourtForm({ club, court, onClose }: { club: Club; court?: Terrain; onClose: () => void }) {
  const i18n = useI18n();
  const { t } = i18n;
  const toast = useToast();
  const [name, setName] = useState(court?.name ?? '');
  const [camera, setCamera] = useState(court?.camera_id ?? null);
  const save = useAction(
    () =>
      court
        ? adminActions.updateTerrain(court.id, { name: name.trim(), camera_id: camera })
        : adminActions.createTerrain(club.id, { name: name.trim(), camera_id: camera }),
    [adminKeys.terrains, adminKeys.clubs, keys.cameras],
    {
      done: (saved) => {
        onClose();
        toast({ tone: 'good', text: t(court ? 'camera.saved' : 'clubs.court.added', { name: saved.name }) });
      },
    },
  );
  const taken = save.error instanceof ApiError && save.error.code === 'duplicate_name';
  const ofName = taken ? t('error.duplicate_court') : tellField(save.error, 'name');
  const told = save.error && !ofName ? tell(i18n, save.error) : null;
  return (
    <Dialog
      title={
        court ? t('clubs.court.edit_title', { name: court.name }) : t('clubs.court.add_title', { club: club.name })
      }
      onClose={onClose}
      onSubmit={() => name.trim() !== '' && save.mutate(undefined)}
      foot={
        <Button tone="primary" type="submit" busy={save.isPending} disabled={name.trim() === ''}>
          {t(court ? 'form.save' : 'clubs.court.add')}
        </Button>
      }
    >
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <Field
        label={t('form.name')}
        placeholder={t('clubs.court.name_example')}
        error={ofName}
        autoFocus={!court}
        autoComplete="off"
        maxLength={LONGEST_NAME}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <CameraPicker club={club} court={court} value={camera} onChange={setCamera} />
    </Dialog>
  );
}

interface PickerProps {
  club: Club;
  court: Terrain | undefined;
  value: number | null;
  onChange: (camera: number | null) => void;
}

function CameraPicker({ club, court, value, onChange }: PickerProps) {
  const { t } = useI18n();
  const cameras = useCameras();
  const terrains = useTerrains().data ?? [];
  const offered = cameras.data && camerasFor(cameras.data, club.id);
  return (
    <fieldset className="picker">
      <legend className="field-label">{t('clubs.court.camera')}</legend>
      {cameras.isPending && <Skeleton height={72} />}
      {offered?.length === 0 && (
        <Notice tone="plain" title={t('clubs.court.no_camera_yet')}>
          <Link href="/cameras">{t('clubs.court.go_cameras')}</Link>
        </Notice>
      )}
      {offered && offered.length > 0 && (
        <div className="picker-list">
          {offered.map((camera) => (
            <Choice
              key={camera.id}
              camera={camera}
              chosen={camera.id === value}
              others={sharedBy(terrains, camera.id, court?.id)}
              onChoose={() => onChange(camera.id)}
            />
          ))}
          <label className="picker-choice">
            <input type="radio" name="camera" checked={value === null} onChange={() => onChange(null)} />
            <span className="camera-shot" aria-hidden>
              <Video size={20} />
            </span>
            <span className="picker-words">{t('clubs.court.without_camera')}</span>
          </label>
        </div>
      )}
    </fieldset>
  );
}

interface ChoiceProps {
  camera: Camera;
  chosen: boolean;
  others: Terrain[];
  onChoose: () => void;
}

function Choice({ camera, chosen, others, onChoose }: ChoiceProps) {
  const i18n = useI18n();
  const dot = dotOf(i18n, camera, null);
  return (
    <label className="picker-choice">
      <input type="radio" name="camera" checked={chosen} onChange={onChoose} />
      <Shot camera={camera} wake />
      <span className="picker-words">
        <strong>{camera.name}</strong>
        <span className="camera-state">
          <span className={`dot ${dot.className}`} aria-hidden />
          {dot.label}
        </span>
        {others.length > 0 && (
          <span className="small muted">
            {i18n.t('clubs.court.shared', { courts: others.map((court) => court.name).join(', ') })}
          </span>
        )}
      </span>
    </label>
  );
}
