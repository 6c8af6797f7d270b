// Where a camera belongs: its club, and the court it looks at. **The court holds the camera, not the camera the court**:
// the choice of a court is sent to the courts.
import { useState } from 'react';
import { adminActions, useClubs } from '../../api/admin';
import { useTerrains } from '../../api/courts';
import { tell } from '../../api/errors';
import type { Camera, Club, Terrain } from '../../api/model';
import { keys, queryClient } from '../../api/queries';
import { useMay, useUser } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { Select } from '../../ui';
import { useToast } from '../../ui/toast';
import { courtChanges } from './court-changes';

interface Place {
  /** What to send as the camera's club; `undefined` leaves it as it is. */
  clubId: number | null | undefined;
  /** Gives the saved camera to the chosen court. */
  take: (camera: number) => Promise<void>;
  choice: { club: string; court: string };
  choose: (choice: { club: string; court: string }) => void;
  clubs: Club[];
  courts: Terrain[];
  severalClubs: boolean;
}

const text = (id: number | null | undefined) => (id == null ? '' : String(id));

export function usePlace(camera: Camera | undefined): Place {
  const i18n = useI18n();
  const toast = useToast();
  const me = useUser();
  const severalClubs = useMay('clubs');
  const clubs = useClubs(severalClubs).data ?? [];
  const terrains = useTerrains().data ?? [];
  const before = { club: text(camera ? camera.club_id : me.club_id), court: text(camera?.terrain_id) };
  const [choice, choose] = useState(before);
  const club = choice.club === '' ? null : Number(choice.club);
  const court = choice.court === '' ? null : Number(choice.court);
  return {
    clubId: severalClubs && choice.club !== before.club ? club : undefined,
    take: async (id) => {
      const changes = courtChanges(terrains, id, court);
      try {
        for (const { terrain, camera_id } of changes) await adminActions.updateTerrain(terrain, { camera_id });
      } catch (error) {
        toast({ tone: 'bad', text: i18n.t('form.court.failed', { why: tell(i18n, error).title }) });
      }
      if (changes.length > 0) void queryClient.invalidateQueries({ queryKey: keys.terrains });
    },
    choice,
    choose,
    clubs,
    courts: terrains.filter((terrain) => terrain.club_id === club),
    severalClubs,
  };
}

/** The choices; nothing where there is none to make. */
export function PlaceFields({ place }: { place: Place }) {
  const { t } = useI18n();
  const { choice, choose, clubs, courts, severalClubs } = place;
  const chosen = courts.find((court) => String(court.id) === choice.court);
  const shows = severalClubs ? clubs.length > 0 : courts.length > 0;
  if (!shows) return null;
  return (
    <div className="form-pair">
      {severalClubs && (
        <Select
          label={t('users.club')}
          value={choice.club}
          onChange={(club) => choose({ club, court: '' })}
          options={[
            { value: '', label: t('form.club.none') },
            ...clubs.map((club) => ({ value: String(club.id), label: club.name })),
          ]}
        />
      )}
      {courts.length > 0 && (
        <Select
          label={t('form.court')}
          hint={chosen?.camera_name ? t('form.court.has', { camera: chosen.camera_name }) : undefined}
          value={choice.court}
          onChange={(court) => choose({ ...choice, court })}
          options={[
            { value: '', label: t('form.court.none') },
            ...courts.map((court) => ({ value: String(court.id), label: court.name })),
          ]}
        />
      )}
    </div>
  );
}
