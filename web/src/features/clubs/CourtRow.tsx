import { MoreVertical, Pencil, QrCode, Trash2 } from 'lucide-react';
import { adminActions, adminKeys } from '../../api/admin';
import { tell } from '../../api/errors';
import type { Camera, Terrain } from '../../api/model';
import { keys, queryClient, useAction } from '../../api/queries';
import { useI18n } from '../../i18n';
import { IconButton, Menu } from '../../ui';
import { Switch } from '../../ui/Switch';
import { useToast } from '../../ui/toast';
import { Shot } from '../cameras/Shot';
import { STATUS_NAMES, STATUS_TONES } from './courts';

interface Props {
  court: Terrain;
  camera: Camera | undefined;
  onEdit: () => void;
  onDelete: () => void;
  onTablet: () => void;
}

export function CourtRow({ court, camera, onEdit, onDelete, onTablet }: Props) {
  const i18n = useI18n();
  const { t } = i18n;
  const toast = useToast();
  const enable = useAction(
    (enabled: boolean) => adminActions.updateTerrain(court.id, { enabled }),
    [adminKeys.terrains, keys.cameras],
    { failed: (error) => toast({ tone: 'bad', text: tell(i18n, error).title }) },
  );
  const name = court.name;
  return (
    <li className="club-court">
      <Shot camera={camera} />
      <div className="club-court-words">
        <span className="club-court-name">
          <strong>{name}</strong>
          <span className={`badge ${STATUS_TONES[court.status]}`}>{t(STATUS_NAMES[court.status])}</span>
        </span>
        <span className="small muted">{court.camera_name ?? t('clubs.court.choose_camera')}</span>
      </div>
      <div className="club-court-tools">
        <Switch
          label={t('clubs.court.enabled_of', { name })}
          on={court.enabled}
          onChange={(enabled) => {
            queryClient.setQueryData<Terrain[]>(adminKeys.terrains, (list) =>
              list?.map((known) => (known.id === court.id ? { ...known, enabled } : known)),
            );
            enable.mutate(enabled);
          }}
        />
        <IconButton label={t('tablet.open_of', { name })} onClick={onTablet}>
          <QrCode size={18} aria-hidden />
        </IconButton>
        <IconButton label={t('clubs.court.edit_of', { name })} onClick={onEdit}>
          <Pencil size={18} aria-hidden />
        </IconButton>
        <Menu label={t('users.actions_of', { name })} icon={<MoreVertical size={20} aria-hidden />}>
          {(close) => (
            <button
              type="button"
              className="danger"
              onClick={() => {
                close();
                onDelete();
              }}
            >
              <Trash2 size={16} aria-hidden />
              {t('clubs.court.delete')}
            </button>
          )}
        </Menu>
      </div>
    </li>
  );
}
