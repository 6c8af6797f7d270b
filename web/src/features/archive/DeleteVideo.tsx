import { tell } from '../../api/errors';
import type { Video } from '../../api/model';
import { actions, keys, useAction } from '../../api/queries';
import { useI18n } from '../../i18n';
import { Confirm, Notice } from '../../ui';
import { useToast } from '../../ui/toast';

/** Asks before a recording is lost, and says which. */
export function DeleteVideo(props: { video: Video; onClose: () => void; onDeleted?: () => void }) {
  const { video, onClose, onDeleted } = props;
  const i18n = useI18n();
  const { t, format } = i18n;
  const toast = useToast();
  const remove = useAction(actions.deleteVideo, [keys.videos, keys.videoHealth], {
    done: () => {
      toast({ tone: 'good', text: t('archive.deleted') });
      onClose();
      onDeleted?.();
    },
  });
  const told = remove.error && tell(i18n, remove.error);
  return (
    <Confirm
      title={t(video.kind === 'clip' ? 'archive.delete_clip_title' : 'archive.delete_title')}
      action={t('action.delete')}
      busy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate(video)}
    >
      {told && <Notice title={told.title}>{told.hint}</Notice>}
      <p>
        {t('archive.delete_text', {
          camera: video.terrain_name || video.camera_name,
          date: format.dateTime(video.created_at),
          length: format.length(video.duration_seconds),
          size: format.bytes(video.size_bytes),
        })}
      </p>
      <p className="muted">{t('archive.delete_final')}</p>
    </Confirm>
  );
}
