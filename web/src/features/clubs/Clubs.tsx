// Clubs and their courts: which camera looks at which court, and which tablets stand beside it.
import { Landmark, MoreVertical, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useClubs } from '../../api/admin';
import { useTerrains } from '../../api/courts';
import type { Camera, Club, Terrain } from '../../api/model';
import { useCameras } from '../../api/queries';
import { useMay } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { Button, Empty, Menu, Skeleton } from '../../ui';
import { LoadFailed } from '../../ui/LoadFailed';
import { Steps } from '../start/Steps';
import { ClubForm } from './ClubForm';
import { CourtForm } from './CourtForm';
import { CourtRow } from './CourtRow';
import { DeleteClub } from './DeleteClub';
import { DeleteCourt } from './DeleteCourt';
import { KioskDialog } from './KioskDialog';
import { zoneName } from './zones';
import './clubs.css';

type Open =
  | { what: 'add-club' }
  | { what: 'edit-club' | 'delete-club' | 'add-court'; club: Club }
  | { what: 'edit-court' | 'delete-court' | 'kiosk'; club: Club; court: Terrain };

export default function Clubs() {
  const { t } = useI18n();
  const several = useMay('clubs');
  const clubs = useClubs();
  const terrains = useTerrains();
  const cameras = useCameras();
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const failed = [clubs, terrains].find((query) => query.isError && !query.data);
  const courtsOf = (club: Club) => terrains.data?.filter((court) => court.club_id === club.id) ?? [];
  const addClub = (
    <Button tone="primary" onClick={() => setOpen({ what: 'add-club' })}>
      <Plus size={18} aria-hidden />
      {t('clubs.add')}
    </Button>
  );

  return (
    <>
      {several && clubs.data && clubs.data.length > 0 && (
        <header className="settings-head clubs-head">
          <div>
            <h2>{t('settings.clubs')}</h2>
            <p className="small muted">{t('clubs.text')}</p>
          </div>
          {addClub}
        </header>
      )}
      {failed ? (
        <LoadFailed error={failed.error as Error} retry={() => Promise.all([clubs.refetch(), terrains.refetch()])} />
      ) : clubs.isPending || terrains.isPending ? (
        <ClubsSkeleton />
      ) : (
        clubs.data?.length === 0 && (
          <div className="card">
            <Empty icon={<Landmark size={24} />} title={t('clubs.empty')} actions={several && addClub}>
              {t(several ? 'clubs.empty.hint' : 'clubs.empty.hint_admin')}
            </Empty>
            {several && <Steps club={null} />}
          </div>
        )
      )}
      {!failed &&
        terrains.data &&
        clubs.data?.map((club) => (
          <ClubCard
            key={club.id}
            club={club}
            courts={courtsOf(club)}
            cameras={cameras.data ?? []}
            several={several}
            onOpen={setOpen}
          />
        ))}
      {open?.what === 'add-club' && <ClubForm onClose={close} />}
      {open?.what === 'edit-club' && <ClubForm club={open.club} onClose={close} />}
      {open?.what === 'delete-club' && <DeleteClub club={open.club} courts={courtsOf(open.club)} onClose={close} />}
      {open?.what === 'add-court' && <CourtForm club={open.club} onClose={close} />}
      {open?.what === 'edit-court' && <CourtForm club={open.club} court={open.court} onClose={close} />}
      {open?.what === 'delete-court' && <DeleteCourt court={open.court} onClose={close} />}
      {open?.what === 'kiosk' && <KioskDialog court={open.court} onClose={close} />}
    </>
  );
}

interface CardProps {
  club: Club;
  courts: Terrain[];
  cameras: Camera[];
  several: boolean;
  onOpen: (open: Open) => void;
}

function ClubCard({ club, courts, cameras, several, onOpen }: CardProps) {
  const { t, n } = useI18n();
  return (
    <section className="card settings-card club" aria-label={club.name}>
      <header className="club-head">
        <div>
          <h2>{club.name}</h2>
          <p className="small muted">
            {[zoneName(club.timezone), n('clubs.courts', courts.length), n('clubs.people', club.user_count)].join(
              ' · ',
            )}
          </p>
        </div>
        <Button onClick={() => onOpen({ what: 'add-court', club })}>
          <Plus size={18} aria-hidden />
          {t('clubs.court.add')}
        </Button>
        <Menu label={t('users.actions_of', { name: club.name })} icon={<MoreVertical size={20} aria-hidden />}>
          {(close) => (
            <>
              <button
                type="button"
                onClick={() => {
                  close();
                  onOpen({ what: 'edit-club', club });
                }}
              >
                <Pencil size={16} aria-hidden />
                {t('action.edit')}
              </button>
              {several && (
                <button
                  type="button"
                  className="danger"
                  onClick={() => {
                    close();
                    onOpen({ what: 'delete-club', club });
                  }}
                >
                  <Trash2 size={16} aria-hidden />
                  {t('action.delete')}
                </button>
              )}
            </>
          )}
        </Menu>
      </header>
      {courts.length === 0 ? (
        <div className="club-empty">
          <p>{t('clubs.no_court')}</p>
          <Steps club={club.id} />
        </div>
      ) : (
        <ul className="club-courts">
          {courts.map((court) => (
            <CourtRow
              key={court.id}
              court={court}
              camera={cameras.find((camera) => camera.id === court.camera_id)}
              onEdit={() => onOpen({ what: 'edit-court', club, court })}
              onDelete={() => onOpen({ what: 'delete-court', club, court })}
              onTablet={() => onOpen({ what: 'kiosk', club, court })}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

function ClubsSkeleton() {
  return (
    <div className="card settings-card" aria-busy>
      <Skeleton height={24} width="40%" />
      <Skeleton height={72} />
      <Skeleton height={72} />
    </div>
  );
}
